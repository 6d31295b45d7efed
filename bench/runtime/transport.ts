/**
 * G4, G5: what it costs to cross threads. The measured end is a real link of the mesh with all that is
 * on it; the baseline is a bare MessagePort with one whole number per post, the least that can be sent.
 *
 * G4, one way: so many notes are sent and then one that is answered; over when the answer is there.
 * G5, there and back: one ask at a time; the median of how long they took. The runtime's share of an ask
 * (mailbox, turn) is not in it: it is the transport that is measured.
 *
 * Both ends send the same numbers; the sum that comes back proves that all came.
 */
import { performance } from 'node:perf_hooks';
import { type BenchRow, median, percentile, ratioAtLeast, ratioAtMost, rowOf } from '../rows.js';
import { each, interleaved, type Lab, type Outcome, type Params, param } from './probe.js';
import { linkEnd, type NearEnd, portEnd } from './transport-ends.js';

export const oneWaySection = { ids: ['G4'], rows: oneWayRows };
export const roundTripSection = { ids: ['G5'], rows: roundTripRows };

const ONE_WAY = {
  tiny: { rounds: 1, notes: 1_000, runs: 1 },
  full: { rounds: 7, notes: 150_000, runs: 5 },
};
const ROUND_TRIP = {
  tiny: { rounds: 1, warmUp: 10, asks: 50 },
  full: { rounds: 7, warmUp: 5_000, asks: 20_000 },
};

async function oneWayRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { rounds, ...params } = ONE_WAY[lab.scale];
  const { link, port } = await interleaved(lab, rounds, {
    link: { probe: 'one-way', params: { ...params, link: 1 } },
    port: { probe: 'one-way', params: { ...params, link: 0 } },
  });
  const row = {
    id: 'G4',
    question:
      'envelopes of 6+5 fields one way over a link, against a number per post of a bare port',
    unit: '1/s',
    value: median(each(link, 'perS')),
    baseline: median(each(port, 'perS')),
    must: ratioAtLeast(1.25),
    stretch: ratioAtLeast(1.8),
  };
  return [rowOf(row, lab.scale)];
}

async function roundTripRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { rounds, ...params } = ROUND_TRIP[lab.scale];
  const { link, port } = await interleaved(lab, rounds, {
    link: { probe: 'round-trip', params: { ...params, link: 1 } },
    port: { probe: 'round-trip', params: { ...params, link: 0 } },
  });
  const row = {
    id: 'G5',
    question:
      'an ask over a link and its answer, p50, against a number there and back on a bare port',
    unit: 'µs',
    value: median(each(link, 'p50Us')),
    baseline: median(each(port, 'p50Us')),
    must: ratioAtMost(1.5),
    stretch: ratioAtMost(1.2),
  };
  return [rowOf(row, lab.scale)];
}

export const transportProbes = { 'one-way': oneWay, 'round-trip': roundTrip };

async function oneWay(params: Params): Promise<Outcome> {
  const [notes, runs] = [param(params, 'notes'), param(params, 'runs')];
  const end = endOf(params);
  let checksum = await end.ask(1);
  const rates: number[] = [];
  // The first run is the warm-up.
  for (let run = 0; run <= runs; run += 1) {
    const startedAt = performance.now();
    for (let n = 1; n < notes; n += 1) {
      const waits = end.send(n);
      if (waits !== undefined) await waits;
    }
    checksum = await end.ask(notes);
    if (run > 0) rates.push(notes / ((performance.now() - startedAt) / 1_000));
  }
  await end.close();
  const expected = 1 + ((runs + 1) * notes * (notes + 1)) / 2;
  if (checksum !== expected) throw new Error(`the sum is ${checksum} instead of ${expected}`);
  return { perS: median(rates), checksum };
}

async function roundTrip(params: Params): Promise<Outcome> {
  const [warmUp, asks] = [param(params, 'warmUp'), param(params, 'asks')];
  const end = endOf(params);
  const tookUs: number[] = [];
  let checksum = 0;
  for (let n = 1; n <= warmUp + asks; n += 1) {
    const startedAt = performance.now();
    checksum = await end.ask(n);
    if (n > warmUp) tookUs.push((performance.now() - startedAt) * 1_000);
  }
  await end.close();
  return { p50Us: percentile(tookUs, 0.5), p99Us: percentile(tookUs, 0.99), checksum };
}

function endOf(params: Params): NearEnd {
  return param(params, 'link') === 1 ? linkEnd() : portEnd();
}
