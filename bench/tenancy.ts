/**
 * Question: ten thousand events wait at the tenant manager: how fast does a daemon catch up? In the whole
 * daemon, its store included, with the example tenant manager; each event makes a tenant and a group.
 *
 * Input: the scale and which rows. Output: the rows, in order. See bench/README.md.
 */
import { type BenchRow, median, rowOf, type Target } from './rows.js';
import { benchOf } from './runtime/lab.js';
import { each, interleaved, type Lab } from './runtime/probe.js';

const EVENTS = { tiny: 60, full: 10_000 };
const PER_SECOND_MIN = 2_000;

const atLeast = (value: number, unit: string): Target => ({
  text: `>= ${value} ${unit}`,
  holds: (row) => row.value >= value,
});

export const bench = benchOf('tenancy', [
  { ids: ['pages', 'replay', 'settled'], rows: tenancyRows },
]);

async function tenancyRows(lab: Lab): Promise<readonly BenchRow[]> {
  const events = EVENTS[lab.scale];
  const found = await interleaved(lab, 1, { all: { probe: 'catchUp', params: { events } } });
  const row = (id: string, key: string, question: string) => ({
    id,
    question,
    unit: 'events/s',
    value: median(each(found.all, key)),
  });
  const until = 'until what follows from the last of them is on disk';
  return [
    {
      ...row('pages', 'pagesPerSecond', `${events} events that waited, in pages, ${until}`),
      must: atLeast(PER_SECOND_MIN, 'events/s'),
    },
    row(
      'replay',
      'replayPerSecond',
      `the same ${events} after a restart, in a replay, none of it news`,
    ),
    row('settled', 'settledPerSecond', `${events} events, until every status is acknowledged`),
  ].map((measured) => rowOf(measured, lab.scale));
}
