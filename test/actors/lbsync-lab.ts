/**
 * Lbsync in a test: the real machine and actor on the runtime's host with a virtual clock, against
 * the judge as dataplane and a ledger in memory. What it tells frontends is kept by frontend.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { lbsyncActor } from '../../actors/lbsync-actor.js';
import { createLbsync, type Lbsync } from '../../actors/lbsync-companion.js';
import type { LbsyncPorts } from '../../actors/lbsync-state.js';
import { type LbsyncMemory, lbsyncMachine } from '../../machines/lbsync.js';
import { type Address, addressOf, type FrontendName, keyOf } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { DesiredVip } from '../../machines/model/lb.js';
import type {
  FrontendMessage,
  LbsyncSettings,
  Message,
  VipReport,
} from '../../machines/model/messages.js';
import { fail, ok } from '../../machines/model/result.js';
import type { Dataplane } from '../../src/ports/dataplane.js';
import type { Metrics } from '../../src/ports/metrics.js';
import type { LedgerEntry, Store } from '../../src/ports/store.js';
import type { Scope } from '../../src/runtime/actor-type.js';
import { createStepper } from '../../src/runtime/stepper.js';
import { rememberingLog } from '../support/quiet.js';
import { createStrictDataplane, type StrictDataplane } from '../support/strict-dataplane.js';
import { createStrictLb, type StrictLb, keyOf as vipKeyOf } from '../support/strict-lb.js';

export const SETTINGS: LbsyncSettings = {
  syncIntervalMs: 30_000,
  startupMinDelayMs: 0,
  startupMaxDelayMs: 30_000,
  requestTimeoutMs: 5000,
  window: 32,
  ownership: 'ledger',
  generation: 1,
};

/** The part of the store that lbsync uses; the rest would be a defect. */
export interface LedgerStore {
  readonly entries: Map<string, LedgerEntry>;
  available: boolean;
  readonly store: Store;
}

export function createLedgerStore(): LedgerStore {
  const lab: LedgerStore = {
    entries: new Map(),
    available: true,
    store: {
      ledger: async () => (lab.available ? ok([...lab.entries.values()]) : DISK),
      ledgerPut: async (entry: LedgerEntry) => {
        if (!lab.available) return DISK;
        lab.entries.set(vipKeyOf(entry.vip), entry);
        return ok(undefined);
      },
      ledgerRemove: async (key: string) => {
        if (!lab.available) return DISK;
        lab.entries.delete(key);
        return ok(undefined);
      },
    } as unknown as Store,
  };
  return lab;
}

const DISK = fail({ code: 'unavailable', message: 'the disk is full' } as const);

interface Timer {
  readonly id: string;
  readonly dueAt: number;
}

export interface LbsyncLab {
  readonly lb: StrictLb;
  readonly dataplane: StrictDataplane;
  readonly ledger: LedgerStore;
  readonly companion: Lbsync;
  readonly told: { readonly to: Address; readonly message: Message }[];
  readonly records: JsonObject[];
  readonly state: () => Json;
  readonly memory: () => LbsyncMemory;
  tell(message: Message): void;
  ask(message: Message): Json | undefined;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
  /** Lets time pass, firing the machine's timers in order. */
  pass(ms: number): Promise<void>;
  reports(frontend: string): readonly VipReport[];
  gone(frontend: string): number;
  view(): JsonObject;
  want(desired: DesiredVip): void;
}

export interface LabInput {
  readonly lb?: StrictLb;
  readonly ledger?: LedgerStore;
  /** Instead of the judge: `dataplane` of the lab is then nobody's. */
  readonly dataplane?: Dataplane;
  readonly detached?: boolean;
  readonly now?: number;
  readonly metrics?: Metrics;
}

/** Starts with settings given; `undefined` leaves the actor waiting. */
export function startLbsync(
  settings: LbsyncSettings | undefined = SETTINGS,
  input: LabInput = {},
): LbsyncLab {
  const lb = input.lb ?? createStrictLb();
  const judged = createStrictDataplane(lb);
  const dataplane = input.dataplane ?? judged;
  const ledger = input.ledger ?? createLedgerStore();
  const ports: LbsyncPorts = {
    dataplane: input.detached === true ? undefined : dataplane,
    store: ledger.store,
    ...(input.metrics === undefined ? {} : { metrics: input.metrics }),
  };
  const lab = createHarness(ports, input.now ?? 1_700_000_000_000);
  if (settings !== undefined) lab.tell({ type: 'lbsync.settings', settings } as Message);
  return { ...lab, lb, dataplane: isStrict(dataplane) ? dataplane : judged, ledger };
}

function isStrict(dataplane: Dataplane): dataplane is StrictDataplane {
  return 'faults' in dataplane;
}

/** A host of one actor: step, effects in order, timers by deadline, answers as later events. */
function createHarness(ports: LbsyncPorts, startAt: number) {
  const stepper = createStepper(lbsyncMachine);
  let now = startAt;
  let serial = 0;
  let timers: readonly Timer[] = [];
  let queue: Message[] = [];
  let replies: Json | undefined;
  const told: { to: Address; message: Message }[] = [];
  const records: JsonObject[] = [];
  const self = addressOf('lbsync', 'main');
  const clock = {
    now: () => now,
    monotonic: () => now - startAt,
    after: () => () => undefined,
    soon: () => undefined,
  };

  const scope: Scope = {
    self,
    cause: 'test',
    clock,
    log: rememberingLog(),
    tell: (to, message) => {
      if (to === self) queue.push(message);
      else told.push({ to, message });
    },
    reply: (_replyTo, body) => {
      replies = body;
    },
    watch: () => undefined,
    unwatch: () => undefined,
    run: (work) => {
      void work().then((message) => {
        if (message !== undefined) queue.push(message);
      });
    },
  };
  const companion = createLbsync(ports, scope);
  let { configuration, context } = stepper.initial({ address: self });

  const step = (message: Message, replyTo?: string): void => {
    serial += 1;
    const id = `s${serial}`;
    const meta = { at: now, random: 0.5, id, cause: id, from: self, replyTo };
    const event = { ...message, meta };
    const next = stepper.step(configuration, context, event);
    ({ configuration, context } = next);
    for (const op of next.timers) {
      timers = timers.filter(({ id: armed }) => armed !== op.id);
      if (op.op === 'arm') timers = [...timers, { id: op.id, dueAt: now + op.delayMs }];
    }
    for (const effect of next.effects) {
      if (effect.type === 'record') records.push(effect.params as JsonObject);
      else lbsyncActor.effects[effect.type]?.perform(effect.params, { scope, ports, companion });
    }
  };

  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 3; quiet += 1) {
      await nextTurn();
      const batch = queue;
      queue = [];
      if (batch.length > 0) quiet = -1;
      for (const message of batch) step(message);
    }
  };

  const pass = async (ms: number): Promise<void> => {
    const end = now + ms;
    await settle();
    for (;;) {
      const next = timers.toSorted((a, b) => a.dueAt - b.dueAt)[0];
      if (next === undefined || next.dueAt > end) break;
      now = Math.max(now, next.dueAt);
      timers = timers.filter((timer) => timer !== next);
      step({ type: next.id });
      await settle();
    }
    now = end;
    await settle();
  };

  const to = (frontend: string) =>
    told
      .filter((letter) => letter.to.startsWith('frontend/') && keyOf(letter.to) === frontend)
      .map((letter) => letter.message as FrontendMessage);

  return {
    companion,
    told,
    records,
    state: () => configuration.value,
    memory: () => context as unknown as LbsyncMemory,
    tell: (message: Message) => step(message),
    ask: (message: Message) => {
      replies = undefined;
      step(message, 'ask-1');
      return replies;
    },
    settle,
    pass,
    want: (desired: DesiredVip) => step({ type: 'vip.desired', desired } as Message),
    reports: (frontend: string) =>
      to(frontend).flatMap((message) => (message.type === 'vip.applied' ? [message.report] : [])),
    gone: (frontend: string) => to(frontend).filter(({ type }) => type === 'vip.gone').length,
    view: () =>
      lbsyncActor.view(
        {
          address: self,
          value: configuration.value,
          context: context,
          timers: [],
        },
        companion,
      ),
  };
}

export function frontendNamed(name: string): FrontendName {
  return name as FrontendName;
}
