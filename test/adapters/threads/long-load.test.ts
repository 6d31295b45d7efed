/** A load of many cells does not hold up the decisions of others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { createRemoteStore } from '../../../src/adapters/threads/remote-store.js';
import { serveStore } from '../../../src/adapters/threads/serve-store.js';
import type { PackedStore } from '../../../src/ports/packed.js';
import { unwrap } from '../../contract/store-fixture.js';
import { cellOf, decisionOf } from '../../contract/store-values.js';
import { portChannel } from '../../support/port-channel.js';
import { openOrThrow } from '../../support/sqlite-scratch.js';

const CELLS = 3_000;

test('[ST-19] store thread: a commit goes between the bites of a long load, which loses nothing by it', async () => {
  const local = openOrThrow(':memory:');
  const did: string[] = [];
  const watched: PackedStore = {
    ...local,
    loadPage: (...args) => {
      did.push('bite');
      return local.loadPage(...args);
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
