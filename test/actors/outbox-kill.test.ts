/**
 * A process that decides and publishes is killed, again and again: at every failpoint between decision,
 * commit, publish and write-back, and at random moments. Afterwards the feed has everything that was
 * acknowledged, in the order of its keys, and what is there twice is the same.
 *
 * `KILL_RUNS=200 node dist/test/run.js outbox-kill` makes a long run of it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/adapters/system/clock.js';
import { openFileSource } from '../../src/feed/file-source.js';
import type { Failpoint } from '../../src/ports/failpoints.js';
import { expectOk } from '../contract/provider.js';
import { seededRandom } from '../support/quiet.js';
import { seedOfRun } from '../support/seed.js';
import { verifyFolder } from '../support/verify-folder.js';

const CHILD = fileURLToPath(new URL('./outbox-kill-child.js', import.meta.url));
const RUNS = Number(process.env['KILL_RUNS'] ?? 4);
const POINTS: readonly Failpoint[] = [
  ...(['commit.before', 'commit.after', 'publish.before', 'publish.after'] as const),
  ...(['writeback.before', 'writeback.after'] as const),
];

interface Life {
  readonly failpoint?: string;
  /** Killed from outside once it has said so many lines. */
  readonly lines?: number;
}

interface Site {
  readonly folder: string;
  /** Of every acknowledged decision, how many events it has. */
  readonly acknowledged: Map<string, number>;
  lives: number;
}

/** Resolves with whether it came to its own end. */
async function live(site: Site, { failpoint = '', lines }: Life): Promise<boolean> {
  site.lives += 1;
  const args = [CHILD, site.folder, String(site.lives), '24', failpoint];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (lines !== undefined && said.split('\n').length > lines) child.kill('SIGKILL');
  });
  const [code, signal] = await once(child, 'close');
  assert.ok(code === 0 || signal === 'SIGKILL', `it ended with ${code} ${signal}: ${complaint}`);
  for (const line of said.split('\n').slice(0, -1)) {
    const [id = '', events] = line.split(' ');
    site.acknowledged.set(id, Number(events));
  }
  return code === 0;
}

/** The last life drains what is there; then all must be. */
async function settle(site: Site, label: string): Promise<void> {
  assert.equal(await live(site, {}), true, label);
  const dir = join(site.folder, 'feed');
  const report = await verifyFolder(dir);
  assert.deepEqual(report.problems, [], label);
  const items = expectOk(await openFileSource({ dir, clock: systemClock() }).read(0, 100_000));
  const ids = items.map((item) => ('event' in item ? item.event.eventId : item.damaged));
  const missing = [...site.acknowledged].flatMap(([id, events]) =>
    Array.from({ length: events }, (_, index) => `${id}.${index}`).filter(
      (eventId) => !ids.includes(eventId),
    ),
  );
  assert.deepEqual(missing, [], `${label}: acknowledged and not in the feed`);
  assert.equal(new Set(ids).size, ids.length, `${label}: within the window nothing is twice`);
}

async function withSite(body: (site: Site) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-kill-'));
  try {
    await body({ folder, acknowledged: new Map(), lives: 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('[OB-5] [ST-1] kill: at every point between decision and write-back nothing is lost or out of order', async () => {
  await withSite(async (site) => {
    for (const [index, point] of POINTS.entries()) {
      const failpoint = `${point}:${index + 2}`;
      assert.equal(await live(site, { failpoint }), false, `${failpoint} was reached`);
    }
    await settle(site, 'every point');
  });
});

test('[OB-5] [ST-1] kill: at random, as often as it is asked for', {
  timeout: 3_600_000,
}, async () => {
  const seed = seedOfRun();
  const random = seededRandom(seed);
  for (let run = 0; run < RUNS; run += 4) {
    await withSite(async (site) => {
      const lives: Life[] = [];
      for (let kill = 0; kill < Math.min(4, RUNS - run); kill += 1) {
        const point = POINTS[Math.floor(random.next() * POINTS.length)];
        const failpoint = `${point}:${1 + Math.floor(random.next() * 6)}`;
        const lines = 1 + Math.floor(random.next() * 20);
        lives.push(random.next() < 0.5 ? { failpoint } : { lines });
      }
      for (const one of lives) await live(site, one);
      await settle(site, `seed ${seed}, run ${run}: ${JSON.stringify(lives)}`);
    });
  }
});
