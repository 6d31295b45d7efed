/**
 * Question: how soon is a decision in the feed, how fast does a backlog go there, what does an outbox cost
 * that has nothing to do, and how soon does another node go on where one has died? Into files, and into a
 * NATS server; what is waited for on the disk is said in bench/README.md.
 *
 * Input: the scale and which rows. Output: the rows, in order.
 */
import { atMost, type BenchRow, median, rowOf, type Target } from './rows.js';
import { benchOf } from './runtime/lab.js';
import { each, interleaved, type Lab } from './runtime/probe.js';

const SIZES = {
  tiny: {
    rounds: 1,
    append: { decisions: 200, inFlight: 20 },
    single: { transactions: 20 },
    latency: { warmUp: 5, events: 30 },
    drain: { rows: 500, keys: 20 },
    nats: { rows: 500, keys: 20 },
    natsLatency: { warmUp: 5, events: 30 },
    lanes: { rows: 300, keys: 100 },
    idle: { settleMs: 20, idleMs: 50 },
    takeOver: { turns: 1, ttlMs: 3_000 },
  },
  full: {
    rounds: 3,
    append: { decisions: 30_000, inFlight: 512 },
    single: { transactions: 2_000 },
    latency: { warmUp: 200, events: 2_000 },
    drain: { rows: 1_000_000, keys: 1_000 },
    nats: { rows: 200_000, keys: 1_000 },
    natsLatency: { warmUp: 200, events: 2_000 },
    lanes: { rows: 30_000, keys: 1_000 },
    idle: { settleMs: 3_000, idleMs: 10_000 },
    takeOver: { turns: 3, ttlMs: 3_000 },
  },
};

const BATCH = 64;
const POISONED = 64;

export const bench = benchOf('outbox', [
  { ids: ['append'], rows: appendRows },
  { ids: ['latency-p50', 'latency-p99'], rows: latencyRows },
  { ids: ['drain'], rows: drainRows },
  { ids: ['nats-latency-p50', 'nats-latency-p99', 'nats-drain'], rows: natsRows },
  { ids: ['lanes'], rows: laneRows },
  { ids: ['idle'], rows: idleRows },
  { ids: ['take-over'], rows: takeOverRows },
]);

const atLeast = (value: number, unit: string): Target => ({
  text: `>= ${value} ${unit}`,
  holds: (row) => row.value >= value,
});

async function appendRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { rounds, append, single } = SIZES[lab.scale];
  const found = await interleaved(lab, rounds, {
    single: { probe: 'store-single', params: single },
    append: { probe: 'outbox-append', params: append },
  });
  const question = `decisions of one event each, ${append.inFlight} under way, against transactions of one row`;
  const values = { value: median(each(found.append, 'perS')) };
  const baseline = median(each(found.single, 'perS'));
  return [rowOf({ id: 'append', question, unit: '1/s', ...values, baseline }, lab.scale)];
}

async function latencyRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { rounds, latency } = SIZES[lab.scale];
  const found = await interleaved(lab, rounds, {
    latency: { probe: 'outbox-latency', params: latency },
  });
  const row = (share: 'p50' | 'p99', mostMs: number): BenchRow =>
    rowOf(
      {
        id: `latency-${share}`,
        question: `from a commit until its event is readable in the file, ${share}`,
        unit: 'ms',
        value: median(each(found.latency, `${share}Ms`)),
        must: atMost(mostMs, 'ms'),
      },
      lab.scale,
    );
  return [row('p50', 2), row('p99', 10)];
}

async function drainRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { drain } = SIZES[lab.scale];
  const found = await interleaved(lab, 1, {
    drain: { probe: 'outbox-drain', params: { ...drain, batchSize: BATCH } },
  });
  const question = `rows a second of a backlog of ${drain.rows}, of ${drain.keys} keys, ${BATCH} a batch as by default`;
  const value = median(each(found.drain, 'perS'));
  return [
    rowOf({ id: 'drain', question, unit: '1/s', value, must: atLeast(50_000, '1/s') }, lab.scale),
  ];
}

async function natsRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { nats, natsLatency } = SIZES[lab.scale];
  const found = await interleaved(lab, 1, {
    latency: { probe: 'outbox-latency', params: { ...natsLatency, nats: 1 } },
    drain: { probe: 'outbox-drain', params: { ...nats, batchSize: BATCH, nats: 1 } },
  });
  const latency = (share: 'p50' | 'p99') => ({
    id: `nats-latency-${share}`,
    question: `from a commit until a NATS server has acknowledged its event, ${share}`,
    unit: 'ms',
    value: median(each(found.latency, `${share}Ms`)),
  });
  const drain = {
    id: 'nats-drain',
    question: `rows a second of a backlog of ${nats.rows}, of ${nats.keys} keys, into a NATS server`,
    ...{ unit: '1/s', value: median(each(found.drain, 'perS')), must: atLeast(10_000, '1/s') },
  };
  return [latency('p50'), latency('p99'), drain].map((row) => rowOf(row, lab.scale));
}

async function laneRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { rounds, lanes } = SIZES[lab.scale];
  const found = await interleaved(lab, rounds, {
    clean: { probe: 'outbox-drain', params: { ...lanes, batchSize: BATCH } },
    poisoned: { probe: 'outbox-drain', params: { ...lanes, batchSize: BATCH, poisoned: POISONED } },
  });
  const question = `rows a second of ${lanes.keys} keys beside ${POISONED} whose first row is refused, against none`;
  const values = { value: median(each(found.poisoned, 'perS')) };
  const baseline = median(each(found.clean, 'perS'));
  return [rowOf({ id: 'lanes', question, unit: '1/s', ...values, baseline }, lab.scale)];
}

async function idleRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { idle } = SIZES[lab.scale];
  const found = await interleaved(lab, 1, { idle: { probe: 'outbox-idle', params: idle } });
  const question = 'CPU time of the whole process in a second in which nothing is appended';
  const value = median(each(found.idle, 'msPerS'));
  const must = atMost(5, 'ms/s');
  return [rowOf({ id: 'idle', question, unit: 'ms/s', value, must }, lab.scale)];
}

/** What the other one may need beyond the time that a lease has. */
const GRACE_MS = 2_000;

async function takeOverRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { takeOver } = SIZES[lab.scale];
  const found = await interleaved(lab, 1, {
    takeOver: { probe: 'outbox-takeover', params: takeOver },
  });
  const question = `from the death of the holder of a lease of ${takeOver.ttlMs} ms until the other node has it, worst of ${takeOver.turns}`;
  const value = median(each(found.takeOver, 'worstMs'));
  const must = atMost(takeOver.ttlMs + GRACE_MS, 'ms');
  return [rowOf({ id: 'take-over', question, unit: 'ms', value, must }, lab.scale)];
}
