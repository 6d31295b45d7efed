/**
 * A whole node with its threads and a simulated cloud that outlives it: filled from nothing, healed, and
 * started again beside what it stored.
 *
 * Everything is read as an operator would: groups say who serves, the journal when something was decided,
 * and the cloud knows whom it was asked about.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { addressOf, type InstanceId } from '../../machines/model/ids.js';
import { createSimulatedWorld } from '../../src/adapters/simulated-provider/provider.js';
import type { InnerWorld, SimulatedWorld } from '../../src/adapters/simulated-provider/world.js';
import { readBootConfig } from '../../src/app/boot.js';
import { type Node, startNode } from '../../src/app/node.js';
import { percentile } from '../rows.js';
import { type Outcome, type Params, param } from '../runtime/probe.js';
import { inFolder } from '../runtime/store-folder.js';
import { type Fleet, instancesOf, PROVIDER, siteOf } from './site.js';

export const groupsProbes = { 'groups-fleet': fleet };

const LOOK_MS = 500;
const PATIENCE_MS = 150_000;
/** Between two deaths whose way is measured: none waits for another's. */
const SPACING_MS = 25;
const MIB = 1024 * 1024;

interface Site {
  readonly folder: string;
  readonly file: string;
  readonly world: InnerWorld;
  readonly fleet: Fleet;
}

function fleet(params: Params): Promise<Outcome> {
  return inFolder(async (folder) => {
    const file = join(folder, 'site.yaml');
    const size: Fleet = { groups: param(params, 'groups'), size: param(params, 'size') };
    writeFileSync(file, siteOf(size));
    const site: Site = { folder, file, world: createSimulatedWorld() as InnerWorld, fleet: size };
    const filled = await fill(site, param(params, 'deaths'));
    return { ...filled, ...(await startAgain(site)) };
  });
}

/** From nothing; then a hundredth dies at once, and after that some one by one. */
async function fill(site: Site, deaths: number): Promise<Outcome> {
  const { world, fleet } = site;
  const before = process.memoryUsage().rss;
  const startedAt = performance.now();
  const node = await start(site);
  try {
    await allServe(node, site);
    const fillS = secondsSince(startedAt);
    const rssMib = (process.memoryUsage().rss - before) / MIB;
    const healedAt = performance.now();
    for (const id of sample([...world.instances.keys()], Math.ceil(instancesOf(fleet) / 100))) {
      world.kill(id, 'its host burnt');
    }
    await allServe(node, site);
    const healS = secondsSince(healedAt);
    return { fillS, rssMib, healS, ...(await oneByOne(node, site, deaths)) };
  } finally {
    await node.stop();
  }
}

/** From the loss until another is asked for; both times are those of the decisions. */
async function oneByOne(node: Node, site: Site, deaths: number): Promise<Outcome> {
  const { world } = site;
  const known = new Set(world.instances.keys());
  for (const id of sample([...known], deaths)) {
    world.kill(id, 'its host burnt');
    await pause(SPACING_MS);
  }
  await allServe(node, site);
  const tookMs: number[] = [];
  for (const { providerId, tags } of world.instances.values()) {
    if (known.has(providerId)) continue;
    const chain = await node.api.why(addressOf('instance', tags.instance));
    const at = (name: string) => chain.find(({ event }) => event === name)?.at ?? Number.NaN;
    tookMs.push(at('instance.requested') - at('instance.lost'));
  }
  if (tookMs.length !== deaths) throw new Error(`${tookMs.length} of ${deaths} were replaced`);
  return { replaceP50Ms: percentile(tookMs, 0.5), replaceP99Ms: percentile(tookMs, 0.99) };
}

/** While it was down, one died: that is the first decision. */
async function startAgain(site: Site): Promise<Outcome> {
  const { world, fleet } = site;
  const [victim = ''] = sample([...world.instances.keys()], 1);
  const tags = world.instances.get(victim)?.tags;
  world.kill(victim, 'its host burnt');
  world.watchers.clear();
  const [startedAt, startedWallMs] = [performance.now(), Date.now()];
  const starting = start(site);
  await until(() => world.watchers.size >= instancesOf(fleet) - 1);
  const examinedS = secondsSince(startedAt);
  const node = await starting;
  try {
    await allServe(node, site);
    const chain = await node.api.why(addressOf('instance', tags?.instance as InstanceId));
    const lost = chain.find(({ event, at }) => event === 'instance.lost' && at >= startedWallMs);
    return { firstDecisionMs: (lost?.at ?? Number.NaN) - startedWallMs, examinedS };
  } finally {
    await node.stop();
  }
}

/** The cloud runs as many as are wanted, and every group says that they serve. */
async function allServe(node: Node, { world, fleet }: Site): Promise<void> {
  const wanted = instancesOf(fleet);
  await until(() => running(world) >= wanted);
  await until(async () => {
    const groups = await node.api.list('groups', {});
    return groups.reduce((sum, { serving }) => sum + Number(serving), 0) === wanted;
  });
}

function running({ instances }: InnerWorld): number {
  let count = 0;
  for (const { state } of instances.values()) if (state === 'running') count += 1;
  return count;
}

async function start({ file, folder, world }: Site): Promise<Node> {
  const booted = await readBootConfig(file, { dataDir: folder });
  if (!booted.ok) throw new Error(booted.failure.lines.join('\n'));
  const node = await startNode({
    ...{ configFile: file, dataDir: folder, booted: booted.value, singleThread: false },
    log: { level: 'error', pretty: false },
    failpoint: '',
    worlds: new Map<string, SimulatedWorld>([[PROVIDER, world]]),
    onFatal: (reason) => {
      throw new Error(reason);
    },
  });
  if (!node.ok) throw new Error(node.failure.lines.join('\n'));
  return node.value;
}

/** Evenly from all of them. */
function sample(ids: readonly string[], count: number): readonly string[] {
  const step = ids.length / count;
  return Array.from({ length: count }, (_, index) => ids[Math.floor(index * step)] ?? '');
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1_000;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('it did not happen in time');
    await pause(LOOK_MS);
  }
}
