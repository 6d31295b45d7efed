/** What the outbox is asked: how soon an event is in the feed, how fast a backlog goes, what idling costs. */
import { percentile } from '../rows.js';
import { type Outcome, type Params, param } from '../runtime/probe.js';
import { inFolder } from '../runtime/store-folder.js';
import { commit, decisionFor, type OutboxRig, openOutboxRig, POISON, recordFor } from './rig.js';

export const outboxProbes = {
  'outbox-append': append,
  'outbox-latency': latency,
  'outbox-drain': drain,
  'outbox-idle': idle,
};

function withRig<T>(work: (outbox: OutboxRig) => Promise<T>): Promise<T> {
  return inFolder(async (folder) => {
    const outbox = await openOutboxRig(folder);
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
  return withRig(async ({ rig }) => {
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
  return withRig(async (outbox) => {
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
  return withRig(async (outbox) => {
    const poison = Array.from({ length: poisoned }, (_, key) => recordFor(`${POISON}${key}`));
    if (poisoned > 0) await commit(outbox.rig, [decisionFor('poison', poison)]);
    await outbox.fill(rows, param(params, 'keys'));
    const startedAt = performance.now();
    await outbox.start({ batchSize: param(params, 'batchSize') });
    const endedAt = await outbox.published(rows);
    return { perS: rows / ((endedAt - startedAt) / 1_000) };
  });
}

/** CPU time of the whole process, all threads, per second in which nothing happens. */
function idle(params: Params): Promise<Outcome> {
  return withRig(async (outbox) => {
    await outbox.start({ batchSize: 64 });
    await outbox.fill(10, 10);
    outbox.appended(10);
    await outbox.published(10);
    await sleep(param(params, 'settleMs'));
    const before = process.cpuUsage();
    const startedAt = performance.now();
    await sleep(param(params, 'idleMs'));
    const { user, system } = process.cpuUsage(before);
    const seconds = (performance.now() - startedAt) / 1_000;
    return { msPerS: (user + system) / 1_000 / seconds };
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
