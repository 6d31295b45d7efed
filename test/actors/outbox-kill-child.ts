/**
 * The process that outbox-kill.test.ts kills: commits decisions of a few keys and publishes them, with a
 * real store and a real file sink, until it has made as many as it was told, or dies at its failpoint.
 * Prints the id of each decision that was acknowledged. Continues where the files end.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { emptyBacklog } from '../../actors/outbox-backlog.js';
import { runPass } from '../../actors/outbox-pass.js';
import { addressOf } from '../../machines/model/ids.js';
import { openFileSink } from '../../src/adapters/file-sink/sink.js';
import { openSqliteStore } from '../../src/adapters/sqlite/open.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { failpointsFrom } from '../../src/adapters/system/failpoints.js';
import { expectOk } from '../contract/provider.js';
import { decisionOf, publishOf } from '../contract/store-values.js';
import { OUTBOX_SETTINGS } from '../support/outbox-world.js';
import { rememberingLog, seededRandom } from '../support/quiet.js';

const [folder = '', life = '0', count = '0', failpoint = ''] = process.argv.slice(2);
const failpoints = failpointsFrom(failpoint);
const epoch = Number(life);
const store = expectOk(
  openSqliteStore({
    ...{ file: join(folder, 'outbox.db'), durability: 'full', node: 'edge-1', run: life },
    ...{ epoch, failpoints, clock: systemClock() },
  }),
);
const log = rememberingLog();
const dir = join(folder, 'feed');
const sink = expectOk(await openFileSink({ dir, layout: 'segments', log, segmentBytes: 2_000 }));
const ports = { store, sink, failpoints, publisher: { thread: 'outbox', incarnation: 1, epoch } };
const rule = { settings: { ...OUTBOX_SETTINGS, batchSize: 3 }, clock: systemClock() };
const backlog = emptyBacklog();
const random = seededRandom(epoch);
let made = 0;

async function decide(): Promise<void> {
  made += 1;
  const key = addressOf('group', `acme/k${Math.floor(random.next() * 4)}`);
  const id = `d-${life}-${made}`;
  const records = random.next() < 0.2 ? [publishOf(key), publishOf(key)] : [publishOf(key)];
  const [outcome] = await store.commit([decisionOf(id, { at: made, records })]);
  if (outcome?.ok !== true) throw new Error(JSON.stringify(outcome));
  writeSync(1, `${id} ${records.length}\n`);
}

while (made < Number(count)) {
  for (let some = 1 + Math.floor(random.next() * 4); some > 0; some -= 1) await decide();
  await runPass(ports, backlog, rule);
}
for (let more = true; more; ) {
  const report = await runPass(ports, backlog, rule);
  if (report.stopped !== undefined) throw new Error(report.stopped.message);
  more = report.more;
}
await sink.close();
await store.close();
