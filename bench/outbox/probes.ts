/** What the outbox is asked: how soon an event is in the feed, how fast a backlog goes, what idling costs. */
import { percentile } from '../rows.js';
import { type Outcome, type Params, param } from '../runtime/probe.js';
import { inFolder } from '../runtime/store-folder.js';
import {
  commit,
  decisionFor,
  type OutboxRig,
  openNats,
  openOutboxRig,
  POISON,
  recordFor,
} from './rig.js';
import { takeover } from './takeover.js';

export const outboxProbes = {
  'outbox-append': append,
  'outbox-latency': latency,
  'outbox-drain': drain,
  'outbox-idle': idle,
  'outbox-takeover': takeover,
};

/** `nats`: 1: into a NATS server; else into files. */
function withRig<T>(params: Params, work: (outbox: OutboxRig) => Promise<T>): Promise<T> {
  return inFolder(async (folder) => {
    const outbox = await openOutboxRig(folder, params['nats'] === 1 ? openNats : undefined);
    try {
      return await work(outbox);
    } finally {
      await outbox.close();
    }
  });
}

/** Decisions of one event each, so many under way at once. */
function append(params: Params): Promise<Outcome> {
  const decisions = param(params, 'decisions');
  const inFlight = param(params, 'inFlight');
  return withRig(params, async ({ rig }) => {
    const startedAt = performance.now();
    let made = 0;
    const maker = async (): Promise<void> => {
      while (made < decisions) {
        made += 1;
        await commit(rig, [decisionFor(`d-${made}`, [recordFor(`key-${made % 1_000}`)])]);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, maker));
    return { perS: made / ((performance.now() - startedAt) / 1_000) };
  });
}

/** One decision after the other: from the answer of the store until the sink has said that it is there. */
function latency(params: Params): Promise<Outcome> {
  const events = param(params, 'events');
  const warmUp = param(params, 'warmUp');
  return withRig(params, async (outbox) => {
    await outbox.start({ batchSize: 64 });
    const waits: number[] = [];
    for (let made = 1; made <= warmUp + events; made += 1) {
      const decision = decisionFor(`d-${made}`, [recordFor(`key-${made % 100}`)]);
      const seq = await commit(outbox.rig, [decision]);
      const committedAt = performance.now();
      outbox.appended(seq);
      const readableAt = await outbox.published(made);
      if (made > warmUp) waits.push(readableAt - committedAt);
    }
    return { p50Ms: percentile(waits, 0.5), p99Ms: percentile(waits, 0.99) };
  });
}

/** A backlog, with or without keys whose first event is refused again and again. */
function drain(params: Params): Promise<Outcome> {
  const rows = param(params, 'rows');
  const poisoned = params['poisoned'] ?? 0;
  return withRig(params, async (outbox) => {
    const poison = Array.from({ length: poisoned }, (_, key) => recordFor(`${POISON}${key}`));
    if (poisoned > 0) await commit(outbox.rig, [decisionFor('poison', poison)]);
    await outbox.fill(rows, param(params, 'keys'));
    const startedAt = performance.now();
    const before = process.cpuUsage();
    await outbox.start({ batchSize: param(params, 'batchSize') });
    const endedAt = await outbox.published(rows);
    const { user, system } = process.cpuUsage(before);
    return { perS: rows / ((endedAt - startedAt) / 1_000), cpuUsEach: (user + system) / rows };
  });
}

/** CPU time of the whole process, all threads, per second in which nothing happens. */
function idle(params: Params): Promise<Outcome> {
  return withRig(params, async (outbox) => {
    await outbox.start({ batchSize: 64 });
    await outbox.fill(10, 10);
    outbox.appended(10);
    await outbox.published(10);
    await sleep(param(params, 'settleMs'));
    const windows: number[] = [];
    for (let window = 0; window < IDLE_WINDOWS; window += 1) {
      windows.push(await cpuMsPerS(param(params, 'idleMs') / IDLE_WINDOWS));
    }
    return { msPerS: percentile(windows, 0.5) };
  });
}

/** A collection of what filling has left falls into one of them, and is not what idling costs. */
const IDLE_WINDOWS = 10;

async function cpuMsPerS(ms: number): Promise<number> {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await sleep(ms);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (performance.now() - startedAt);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
