/**
 * The outbox as a daemon has it: the store in a thread of its own, `synchronous = FULL`, this thread as the
 * outbox's, linked as threads of a node are; the real actor, machine, passes and file sink. A record of
 * what was published says that all of it was, in order.
 */
import { join } from 'node:path';
import { outboxActor } from '../../actors/outbox-actor.js';
import type { OutboxPorts } from '../../actors/outbox-backlog.js';
import { type Address, addressOf } from '../../machines/model/ids.js';
import { openFileSink } from '../../src/adapters/file-sink/sink.js';
import { openNatsSink } from '../../src/adapters/nats/sink.js';
import { nodeSubject } from '../../src/adapters/nats/stream.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { noFailpoints } from '../../src/adapters/system/failpoints.js';
import { systemIds, systemRandom } from '../../src/adapters/system/identity.js';
import type { Sink } from '../../src/ports/sink.js';
import type { Decision, FeedText } from '../../src/ports/store.js';
import type { ActorType } from '../../src/runtime/actor-type.js';
import { createHost } from '../../src/runtime/host.js';
import { createPlacement } from '../../src/runtime/placement.js';
import { openRig, type Rig } from '../runtime/store-rig.js';
import { QUIET } from '../runtime/store-thread.js';
import { startBroker } from './broker.js';

export interface OutboxRig {
  readonly rig: Rig;
  /** Commits rows of so many keys, in turn; `from` numbers the decisions. */
  fill(rows: number, keys: number, from?: number): Promise<void>;
  /** Starts the outbox; from now on rows are published. */
  start(settings: { readonly batchSize: number }): Promise<void>;
  appended(seq: number): void;
  /** Resolves with the time when so many events in all are acknowledged by the sink. */
  published(count: number): Promise<number>;
  close(): Promise<void>;
}

/** Keys whose events the sink refuses for their content. */
export const POISON = 'poison-';

const OUTBOX = addressOf('outbox', 'main');
const ROWS_PER_DECISION = 1_000;

export async function openOutboxRig(folder: string, open = openFile): Promise<OutboxRig> {
  const rig = await openRig(join(folder, 'outbox.db'));
  const counter = createCounter();
  const sink = refusing(await open(folder), counter.count);
  const ports: OutboxPorts = {
    store: rig.store,
    sink,
    failpoints: noFailpoints,
    publisher: { thread: 'outbox', incarnation: 1, epoch: 1 },
  };
  const host = createHost({
    thread: 'outbox',
    incarnation: 1,
    types: [outboxActor as ActorType],
    services: [],
    placement: createPlacement(1),
    clock: systemClock(),
    ids: systemIds(),
    random: systemRandom(),
    log: QUIET,
    metrics: { count: nothing, observe: nothing, gauge: nothing },
    store: rig.store,
    ports,
    remote: { send: () => false, reply: nothing },
    generation: () => 1,
  });
  return {
    rig,
    fill: (rows, keys, from = 1) => fill(rig, { rows, keys, from }),
    start: async ({ batchSize }) => {
      const started = await host.start();
      if (!started.ok) throw new Error(started.failure.message);
      const settings = {
        ...{ batchSize, pollIntervalMs: 15_000, maxAttempts: 8, retentionMs: 604_800_000 },
        coalesceWindowMs: 1_000,
      };
      host.tell(OUTBOX, { type: 'outbox.settings', ...{ settings } }, 'bench');
    },
    appended: (seq) => host.tell(OUTBOX, { type: 'outbox.appended', ...{ seq } }, 'bench'),
    published: counter.reached,
    close: async () => {
      await host.stop();
      await sink.close();
      await rig.close();
    },
  };
}

async function openFile(folder: string): Promise<Sink> {
  const opened = await openFileSink({ dir: join(folder, 'feed'), layout: 'segments', log: QUIET });
  if (!opened.ok) throw new Error(opened.failure.message);
  return opened.value;
}

/** A stream on a server of its own, which ends with the sink. */
export async function openNats(folder: string): Promise<Sink> {
  const broker = await startBroker(folder);
  const sink = openNatsSink({
    ...{ servers: [broker.url], name: 'bench', stream: 'BENCH', replicas: 1, writer: 'bench' },
    subjectOf: ({ node }) => nodeSubject('BENCH', node),
  });
  const close = async (): Promise<void> => {
    await sink.close();
    await broker.close();
  };
  return { ...sink, close };
}

const nothing = (): undefined => undefined;

interface Filling {
  readonly rows: number;
  readonly keys: number;
  readonly from: number;
}

async function fill(rig: Rig, { rows, keys, from }: Filling): Promise<void> {
  for (let done = 0; done < rows; done += ROWS_PER_DECISION) {
    const count = Math.min(ROWS_PER_DECISION, rows - done);
    const records = Array.from({ length: count }, (_, index) =>
      recordFor(`key-${(done + index) % keys}`),
    );
    await commit(rig, [decisionFor(`fill-${from}-${done}`, records)]);
  }
}

export function recordFor(key: string): Decision['records'][number] {
  const data = { tenant: 'acme', name: key, size: 3, serving: 3, state: 'converged' };
  const publish = { aggregateKind: 'group', aggregateId: key, data };
  return { event: 'group.converged', rule: 'GR-1', numbers: { size: 3 }, publish };
}

export function decisionFor(id: string, records: Decision['records']): Decision {
  return {
    ...{ id, at: Date.now(), actor: 'group/acme/web' as Address, cause: 'bench', records },
    ...{ thread: 'shard-0', incarnation: 1, spawns: [], forget: false, configGeneration: 1 },
  };
}

export async function commit(rig: Rig, decisions: readonly Decision[]): Promise<number> {
  const outcomes = await rig.store.commit(decisions);
  const last = outcomes.at(-1);
  const bad = outcomes.find((outcome) => !outcome.ok);
  if (bad?.ok === false) throw new Error(bad.failure.message);
  return last?.ok === true ? last.value.outboxSeq : 0;
}

/** The file sink, which refuses poison besides. */
function refusing(sink: Sink, count: (published: number) => void): Sink {
  const isPoison = ({ orderingKey }: FeedText): boolean =>
    orderingKey.startsWith(`group/${POISON}`);
  return {
    ...{ resume: () => sink.resume(), close: () => sink.close() },
    putArtifact: (ref, bytes) => sink.putArtifact(ref, bytes),
    append: async (events) => {
      const healthy = events.some(isPoison) ? events.filter((event) => !isPoison(event)) : events;
      const results = await sink.append(healthy);
      const bad = results.find((result) => !result.ok);
      if (bad?.ok === false) throw new Error(bad.failure.message);
      count(results.length);
      if (healthy === events) return results;
      const answers = results[Symbol.iterator]();
      return events.map((event) => (isPoison(event) ? REFUSED : (answers.next().value ?? REFUSED)));
    },
  };
}

const REFUSED = { ok: false, failure: { code: 'content', message: 'poison' } } as const;

function createCounter() {
  const waiting: { readonly count: number; readonly done: (at: number) => void }[] = [];
  let published = 0;
  return {
    count: (more: number): void => {
      published += more;
      const at = performance.now();
      for (const { count, done } of waiting) if (published >= count) done(at);
    },
    reached: (count: number): Promise<number> =>
      published >= count
        ? Promise.resolve(performance.now())
        : new Promise((done) => void waiting.push({ count, done })),
  };
}
