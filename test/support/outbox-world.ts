/**
 * The outbox's machine and passes on virtual time, with a store and a sink in memory. `crash` loses what
 * a process loses: the machine's state and the backlog, and whatever the pass had not done yet.
 */
import { type Backlog, emptyBacklog, type OutboxPorts } from '../../actors/outbox-backlog.js';
import { runPass } from '../../actors/outbox-pass.js';
import type { RecordParams } from '../../machines/model/effects.js';
import type { OutboxAmendment, OutboxSettings } from '../../machines/model/messages.js';
import { type OutboxMemory, outboxMachine, type RunPassParams } from '../../machines/outbox.js';
import type { Failpoint } from '../../src/ports/failpoints.js';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/virtual-clock.js';
import { type Driven, drive } from './drive.js';
import { createMemoryOutbox, type MemoryOutbox } from './memory-outbox.js';
import { type MemorySink, openMemorySink } from './memory-sink.js';

export const OUTBOX_SETTINGS: OutboxSettings = {
  batchSize: 4,
  pollIntervalMs: 15_000,
  maxAttempts: 3,
  retentionMs: 1,
  coalesceWindowMs: 0,
};

export interface OutboxWorld {
  readonly outbox: MemoryOutbox;
  readonly sink: MemorySink;
  readonly clock: VirtualClock;
  readonly records: readonly RecordParams[];
  readonly machine: Driven<OutboxMemory>;
  /** Called at every failpoint; throws to crash there. */
  onFailpoint: (point: Failpoint) => void;
  passes: number;
  send(event: { readonly type: string }): void;
  /** Lets passes run and waits pass until the machine is idle, or for `steps`. */
  run(steps?: number): Promise<void>;
  /** Runs the pass that is due now, alone. */
  pass(): Promise<void>;
  /** A new life: its first pass is run. */
  restart(): Promise<void>;
  /** An operator's verb, done as the actor does it. */
  amend(amendment: OutboxAmendment): Promise<void>;
  readonly ports: OutboxPorts;
  readonly backlog: Backlog;
}

export class Crash extends Error {}

const STEPS_MAX = 2_000;

export function createOutboxWorld(settings: Partial<OutboxSettings> = {}): OutboxWorld {
  const outbox = createMemoryOutbox();
  const sink = openMemorySink();
  const clock = createVirtualClock();
  const records: RecordParams[] = [];
  let machine = fresh();
  let backlog: Backlog = emptyBacklog();

  function fresh(): Driven<OutboxMemory> {
    const started = drive<OutboxMemory>(outboxMachine, { address: 'outbox/main' });
    return started.send({
      type: 'outbox.settings',
      ...{ settings: { ...OUTBOX_SETTINGS, ...settings } },
    });
  }

  const ports: OutboxPorts = {
    store: outbox.store,
    sink,
    failpoints: { hit: (point: Failpoint) => world.onFailpoint(point) },
    publisher: { thread: 'outbox', incarnation: 1, epoch: 1 },
  };

  const step = (next: Driven<OutboxMemory>): void => {
    machine = next;
    records.push(...next.said<RecordParams>('record'));
  };

  const pass = async (): Promise<void> => {
    const [params] = machine.said<RunPassParams>('runPass');
    const rule = { settings: params?.settings ?? OUTBOX_SETTINGS, clock };
    world.passes += 1;
    backlog.settings = rule.settings;
    try {
      const report = await runPass(ports, backlog, rule);
      step(machine.send({ type: 'pass.finished', ...{ report } }));
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      backlog = emptyBacklog();
      machine = fresh();
    }
  };

  const world: OutboxWorld = {
    outbox,
    sink,
    clock,
    records,
    get machine() {
      return machine;
    },
    onFailpoint: () => undefined,
    passes: 0,
    ports,
    get backlog() {
      return backlog;
    },
    restart: async () => {
      backlog = emptyBacklog();
      machine = fresh();
      await pass();
    },
    amend: async (amendment) => {
      const done = await outbox.store.outboxAmend(amendment);
      backlog.rescan = true;
      if (amendment.verb === 'republish') backlog.lost = undefined;
      step(
        machine.send({
          type: 'rows.amended',
          ...{ amendment, rows: done.ok ? done.value.rows : 0 },
        }),
      );
    },
    send: (event) => step(machine.send(event)),
    pass,
    async run(steps = STEPS_MAX) {
      for (let taken = 0; taken < steps && machine.value !== 'idle'; taken += 1) {
        if (machine.value === 'draining') await pass();
        else {
          const [[name, delayMs]] = Object.entries(machine.timers) as [[string, number]];
          await clock.advance(delayMs);
          step(machine.fire(name));
        }
      }
    },
  };
  return world;
}
