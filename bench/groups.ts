/**
 * Questions: how long does a node take to fill a fleet from nothing, to heal it, to be back beside it, and
 * what does a group cost in which nothing happens?
 *
 * Input: the scale and which rows. Output: the rows, in order. See bench/README.md.
 */
import { instancesOf } from './groups/site.js';
import { atMost, type BenchRow, type Measured, median, rowOf } from './rows.js';
import { benchOf } from './runtime/lab.js';
import { each, interleaved, type Lab } from './runtime/probe.js';

const FLEETS = {
  tiny: { groups: 4, size: 5, deaths: 3 },
  full: { groups: 1_000, size: 100, deaths: 200 },
};
const RESYNCS = { tiny: { size: 100, resyncs: 200 }, full: { size: 100, resyncs: 20_000 } };
const MIB = 1024 * 1024;

export const bench = benchOf('groups', [
  {
    ids: ['fill', 'bytes', 'heal', 'replace-p50', 'replace-p99', 'restart-first', 'restart-all'],
    rows: fleetRows,
  },
  { ids: ['resync'], rows: resyncRows },
]);

async function fleetRows(lab: Lab): Promise<readonly BenchRow[]> {
  const fleet = FLEETS[lab.scale];
  const { found } = await interleaved(lab, 1, { found: { probe: 'groups-fleet', params: fleet } });
  const value = (field: string): number => median(each(found, field));
  const all = instancesOf(fleet);
  const measured: readonly Measured[] = [
    {
      ...{ id: 'fill', unit: 's', value: value('fillS'), must: atMost(30, 's') },
      question: `from the start of a node with ${fleet.groups} groups of ${fleet.size} until all ${all} serve`,
    },
    {
      ...{ id: 'bytes', unit: 'B', value: (value('rssMib') * MIB) / all },
      question: 'memory of the process for each of them, garbage and threads included',
    },
    {
      ...{ id: 'heal', unit: 's', value: value('healS') },
      question: 'a hundredth of them dies at once: until all serve again',
    },
    {
      ...{ id: 'replace-p50', unit: 'ms', value: value('replaceP50Ms') },
      question: 'from a loss to the decision on its replacement, p50',
    },
    {
      ...{ id: 'replace-p99', unit: 'ms', value: value('replaceP99Ms'), must: atMost(5, 'ms') },
      question: 'from a loss to the decision on its replacement, p99',
    },
    {
      ...{
        id: 'restart-first',
        unit: 'ms',
        value: value('firstDecisionMs'),
        must: atMost(1_000, 'ms'),
      },
      question: `from the start beside ${all} stored ones, one of which died, to the first decision`,
    },
    {
      ...{ id: 'restart-all', unit: 's', value: value('examinedS'), must: atMost(5, 's') },
      question: 'until the cloud was asked about every one of them',
    },
  ];
  return measured.map((row) => rowOf(row, lab.scale));
}

async function resyncRows(lab: Lab): Promise<readonly BenchRow[]> {
  const params = RESYNCS[lab.scale];
  const rounds = lab.scale === 'full' ? 3 : 1;
  const { found } = await interleaved(lab, rounds, { found: { probe: 'groups-resync', params } });
  const row: Measured = {
    ...{ id: 'resync', unit: 'us', value: median(each(found, 'resyncUs')), must: atMost(40, 'us') },
    question: `CPU of one resync of a group of ${params.size} in which nothing changed`,
  };
  return [rowOf(row, lab.scale)];
}
