/**
 * The store across a real MessageChannel: the whole contract, group commit, and a death in between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Address } from '../../../machines/model/ids.js';
import {
  createRemoteStore,
  PENDING_MAX,
  type RemoteStore,
  type StoreChannel,
} from '../../../src/adapters/threads/remote-store.js';
import { serveStore } from '../../../src/adapters/threads/serve-store.js';
import type { Failpoint } from '../../../src/ports/failpoints.js';
import type { PackedStore } from '../../../src/ports/packed.js';
import type { Decision, StoredCell } from '../../../src/ports/store.js';
import type { LinkFrame } from '../../../src/wire/link-frame.js';
import { storeContract, verdicts } from '../../contract/store.js';
import { unwrap } from '../../contract/store-fixture.js';
import { cellOf, decisionOf, publishOf, WEB } from '../../contract/store-values.js';
import { portChannel } from '../../support/port-channel.js';
import { openOrThrow, scratch } from '../../support/sqlite-scratch.js';

/** Puts `store` behind a channel of its own and attaches `remote` to it. */
function connect(remote: RemoteStore, store: PackedStore): MessagePort {
  const { port1, port2 } = new MessageChannel();
  serveStore(store).attach(portChannel(port2));
  remote.attach(portChannel(port1));
  return port1;
}

storeContract('remote, over a message channel', async () => {
  const local = openOrThrow(':memory:');
  const remote = createRemoteStore();
  const port = connect(remote, local);
  return {
    store: remote,
    release: async () => {
      await remote.close();
      port.close();
      await local.close();
    },
  };
});

test('[ST-19] load: parts are handed over as they come, in order, and the answer has the rest', async () => {
  const local = openOrThrow(':memory:');
  const remote = createRemoteStore();
  const port = connect(remote, local);
  const many = Array.from({ length: 600 }, (_, index) => `instance/i-${index + 1_000}` as Address);
  await remote.commit(
    many.map((address, index) =>
      decisionOf(`d-${index}`, { actor: address, cell: cellOf(address, 1) }),
    ),
  );
  const parts: (readonly string[])[] = [];
  const take = (cells: readonly StoredCell[]): void =>
    void parts.push(cells.map(({ address }) => address));
  const rest = unwrap(await remote.load(['instance'], take)).map(({ address }) => address);
  assert.ok(parts.length > 1, `${parts.length} parts`);
  assert.deepEqual([...parts.flat(), ...rest], many);
  assert.deepEqual(
    unwrap(await local.load(['instance'], take)).map(({ address }) => address),
    many,
  );
  await remote.close();
  port.close();
  await local.close();
});

function series(count: number): readonly Decision[] {
  return Array.from({ length: count }, (_, index) =>
    decisionOf(`d-${index + 1}`, { cell: cellOf(WEB, index + 1), records: [publishOf(WEB)] }),
  );
}

test('[WI-7] group commit: requests that arrived meanwhile become one transaction', async () => {
  const local = openOrThrow(':memory:');
  const sizes: number[] = [];
  const counted: PackedStore = {
    ...local,
    commitPacked: (decisions) => {
      sizes.push(decisions.length);
      return local.commitPacked(decisions);
    },
  };
  const server = serveStore(counted);
  const remotes = [createRemoteStore(), createRemoteStore()];
  const ports = remotes.map((remote) => {
    const { port1, port2 } = new MessageChannel();
    server.attach(portChannel(port2));
    remote.attach(portChannel(port1));
    return port1;
  });
  const commits = Array.from({ length: 600 }, (_, index) =>
    remotes[index % 2]?.commit([decisionOf(`d-${index}`)]),
  );
  const outcomes = (await Promise.all(commits)).flat();
  assert.ok(outcomes.every((outcome) => outcome?.ok));
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    600,
  );
  assert.ok(Math.max(...sizes) <= 256 && sizes.length < 100, `sizes ${sizes.join(' ')}`);
  for (const port of ports) port.close();
  await local.close();
});

test('[WI-7] order: a read sent after a commit sees it', async () => {
  const local = openOrThrow(':memory:');
  const remote = createRemoteStore();
  const port = connect(remote, local);
  const committed = remote.commit(series(3));
  assert.equal(unwrap(await remote.journal(0, 10)).length, 3);
  await committed;
  port.close();
  await local.close();
});

/** A store that dies at a failpoint: its port closes, its caller never hears of it. */
function mortal(file: string, point: Failpoint, hits: number, die: () => void): PackedStore {
  let left = hits;
  const failpoints = {
    hit: (at: Failpoint) => {
      left -= at === point ? 1 : 0;
      if (at === point && left === 0) throw new Error('killed');
    },
  };
  const store = openOrThrow(file, { failpoints, run: 'test' });
  return {
    ...store,
    commitPacked: (decisions) =>
      store.commitPacked(decisions).catch(async () => {
        await store.close();
        die();
        return new Promise<never>(() => undefined);
      }),
  };
}

for (const point of ['commit.before', 'commit.after'] as const) {
  for (const hits of [1, 2, 5]) {
    test(`[WI-6] death at ${point} ${hits}: nothing is lost, nothing is done twice`, async () => {
      const { file, remove } = scratch();
      const remote = createRemoteStore();
      const died = new Promise<void>((resolve) => {
        const port = connect(
          remote,
          mortal(file, point, hits, () => {
            port.close();
            resolve();
          }),
        );
      });
      const decisions = series(40);
      const answers: Promise<readonly unknown[]>[] = [];
      // Five groups, each of which is at least one transaction.
      for (const decision of decisions) {
        answers.push(remote.commit([decision]));
        if (answers.length % 8 === 0) await Promise.race([Promise.all(answers), died]);
      }
      await died;
      assert.ok(remote.pending > 0);
      const successor = openOrThrow(file, { run: 'test' });
      const port = connect(remote, successor);
      const outcomes = (await Promise.all(answers)).flat();
      assert.deepEqual(
        outcomes,
        decisions.map(({ id }, index) => ({
          ok: true,
          value: { id, outboxSeq: index + 1, journalSeq: index + 1 },
        })),
      );
      assert.equal(unwrap(await remote.outboxCounts()).pending, 40);
      assert.equal(remote.pending, 0);
      port.close();
      await successor.close();
      remove();
    });
  }
}

test('[WI-6] without a channel: calls wait, and past the bound they are unavailable', async () => {
  const remote = createRemoteStore();
  const waiting = Array.from({ length: PENDING_MAX }, () => remote.metaGet('x'));
  const over = await remote.metaGet('x');
  assert.equal(over.ok ? '' : over.failure.code, 'unavailable');
  assert.deepEqual(await verdicts(remote, series(2)), ['unavailable', 'unavailable']);
  await remote.close();
  for (const answer of await Promise.all(waiting)) assert.equal(answer.ok, false);
  assert.equal(remote.pending, 0);
});

test('[WI-6] large: requests are halved, answers split, too large fails alone', async () => {
  const local = openOrThrow(':memory:');
  const remote = createRemoteStore();
  const port = connect(remote, local);
  const big = series(20).map((decision, index) => ({
    ...decision,
    cell: cellOf(WEB, index + 1, { context: { text: 'x'.repeat(900_000) } }),
  }));
  assert.deepEqual(
    await verdicts(remote, big),
    big.map(() => 'ok'),
  );
  const huge = decisionOf('huge', {
    cell: cellOf(WEB, 21, { context: { text: 'x'.repeat(5_000_000) } }),
  });
  assert.deepEqual(await verdicts(remote, [huge]), ['rejected']);
  const many = Array.from({ length: 700 }, (_, index) => decisionOf(`m-${index}`));
  assert.deepEqual(
    await verdicts(remote, many),
    many.map(() => 'ok'),
  );
  const entries = unwrap(await remote.journal(0, 10_000));
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    entries.map((_, index) => index + 1),
  );
  assert.equal(entries.length, 720);
  const cells = Array.from({ length: 6 }, (_, index) => {
    const address = `pool/p-${index}` as never;
    const cell = cellOf(address, 1, { context: { text: 'y'.repeat(1_000_000) } });
    return decisionOf(`p-${index}`, { actor: address, cell });
  });
  await remote.commit(cells);
  assert.equal(unwrap(await remote.load(['pool'])).length, 6);
  port.close();
  await local.close();
});

test('[WI-2] a request of the wrong shape is rejected, a bad decision alone', async () => {
  const local = openOrThrow(':memory:');
  const remote = createRemoteStore();
  const port = connect(remote, local);
  const wrong = await remote.journal('x' as never, 1);
  assert.equal(wrong.ok ? '' : wrong.failure.code, 'rejected');
  const bad = decisionOf('bad', { records: [{ event: 1n } as never] });
  const odd = { ...decisionOf('odd'), actor: 'nobody' as never };
  assert.deepEqual(await verdicts(remote, [bad, decisionOf('good'), odd]), [
    'rejected',
    'ok',
    'rejected',
  ]);
  const unpackable = await remote.metaSet('x', Symbol('x') as never);
  assert.equal(unpackable.ok ? '' : unpackable.failure.code, 'rejected');
  port.close();
  await local.close();
});

test('[WI-6] answers: late, doubled, foreign or odd settle nothing wrongly', async () => {
  const remote = createRemoteStore();
  const listeners: ((frame: LinkFrame) => void)[] = [];
  const channel = (): StoreChannel => ({
    post: () => ({ ok: true, value: undefined }),
    onFrame: (listener) => void listeners.push(listener),
    onClose: () => undefined,
  });
  remote.attach(channel());
  const first = remote.metaGet('a');
  const second = remote.metaGet('b');
  remote.attach(channel());
  const answer = (id: number, result: unknown): LinkFrame => ({
    type: 'store.answer',
    id,
    result: result as never,
    more: false,
  });
  listeners[0]?.(answer(1, { ok: true, value: 'from the dead' }));
  listeners[1]?.(answer(99, { ok: true, value: 'whose?' }));
  listeners[1]?.({ type: 'credit', received: 1 });
  listeners[1]?.(answer(1, { ok: true, value: 'right' }));
  listeners[1]?.(answer(1, { ok: true, value: 'again' }));
  listeners[1]?.(answer(2, 'nonsense'));
  assert.deepEqual(await first, { ok: true, value: 'right' });
  const odd = await second;
  assert.equal(odd.ok ? '' : odd.failure.code, 'unavailable');
});
