/** A load of many cells does not hold up the decisions of others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { createRemoteStore } from '../../../src/adapters/threads/remote-store.js';
import { serveStore } from '../../../src/adapters/threads/serve-store.js';
import type { PackedStore } from '../../../src/ports/packed.js';
import { unwrap } from '../../contract/store-fixture.js';
import { cellOf, decisionOf } from '../../contract/store-values.js';
import { portChannel } from '../../support/port-channel.js';
import { seedOfRun } from '../../support/seed.js';
import { openOrThrow, scratch } from '../../support/sqlite-scratch.js';

const CELLS = 3_000;

test('[ST-19] store thread: a commit goes between the bites of a long load, which loses nothing by it', async () => {
  const local = openOrThrow(':memory:');
  const did: string[] = [];
  const watched: PackedStore = {
    ...local,
    loadLines: (...args) => {
      did.push('bite');
      return local.loadLines(...args);
    },
    commitPacked: (decisions) => {
      did.push('commit');
      return local.commitPacked(decisions);
    },
  };
  const remote = createRemoteStore();
  const { port1, port2 } = new MessageChannel();
  serveStore(watched).attach(portChannel(port2));
  remote.attach(portChannel(port1));
  const groups = Array.from({ length: CELLS }, (_, n) => {
    const address = `group/t/g${String(n).padStart(5, '0')}` as never;
    return decisionOf(`d-${n}`, { actor: address, cell: cellOf(address, 1) });
  });
  for (const outcome of await remote.commit(groups)) assert.ok(outcome.ok);

  did.length = 0;
  const loaded = remote.load(['group']);
  const pool = 'pool/late' as never;
  const committed = remote.commit([decisionOf('late', { actor: pool, cell: cellOf(pool, 1) })]);
  const cells = unwrap(await loaded);
  assert.equal(new Set(cells.map(({ address }) => address)).size, CELLS);
  assert.equal(cells.length, CELLS);
  assert.ok((await committed)[0]?.ok);
  assert.equal(did[0], 'bite');
  assert.ok(did.indexOf('commit') < did.lastIndexOf('bite'), did.join());
  port1.close();
  await local.close();
});

/** Text that would pass for something else between its neighbours. */
const arbText = fc.oneof(
  fc.constantFrom(
    '{}',
    '[]',
    '1,2',
    '1],[1',
    '"a',
    '',
    '}',
    '"x",{},[]],["group/forged",null,"toy",1,"ff",1,1,"y"',
    '{"a":1},[]],["group/forged",null,"toy",1,"ff",1,1,"y",{}',
  ),
  fc.json(),
  fc.string(),
);

test('[RT-9] [ST-19] store thread: whatever a row was damaged to, a load over the link is what SQLite has', async () => {
  const place = scratch();
  const addresses = ['group/t/a', 'group/t/b', 'group/t/c'] as const;
  const written = openOrThrow(place.file);
  for (const address of addresses) {
    const cell = cellOf(address as never, 1);
    await written.commit([decisionOf(`of ${address}`, { actor: address as never, cell })]);
  }
  await written.close();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('value', 'context', 'timers', 'machine', 'machine_hash', 'parent'),
      arbText,
      async (column, text) => {
        damage(place.file, `UPDATE cells SET ${column} = ? WHERE address = 'group/t/b'`, text);
        const local = openOrThrow(place.file);
        const remote = createRemoteStore();
        const { port1, port2 } = new MessageChannel();
        serveStore(local).attach(portChannel(port2));
        remote.attach(portChannel(port1));
        const loaded = [await remote.load(['group']), await local.load(['group'])] as const;
        port1.close();
        await local.close();
        const [far, near] = [unwrap(loaded[0]), unwrap(loaded[1])];
        assert.deepEqual(far, near);
        assert.equal(far.length, addresses.length);
      },
    ),
    { seed: seedOfRun(), numRuns: 60 },
  );
  place.remove();
});

function damage(file: string, sql: string, text: string): void {
  const db = new Database(file);
  db.prepare<[string]>(sql).run(text);
  db.close();
}
