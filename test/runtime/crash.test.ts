/** Crashes wherever an actor can throw: what is kept, what is tried again, who notices, and when it is back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, addressOf } from '../../machines/model/ids.js';
import {
  MAILBOX_MESSAGES_MAX,
  RESTART_BACKOFF,
  RESTART_DEFAULT,
} from '../../src/runtime/limits.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import {
  heardBy,
  MINE,
  type MinedNode,
  minedNode,
  PLACES,
  seen,
  totalOf,
} from '../support/mined-node.js';

const SIBLING = addressOf('group', 't/sibling');

async function grown(): Promise<MinedNode> {
  const node = await minedNode();
  node.tell({ type: 'add', by: 1 });
  node.tell({ type: 'add', by: 1 }, SIBLING);
  await node.clock.settle();
  node.said.length = 0;
  return node;
}

function lay(node: MinedNode, place: string, times = 1): void {
  node.fuses.set(`${place} ${MINE}`, times);
}

for (const place of PLACES) {
  for (const times of [1, 2]) {
    test(`[SU-24] [SU-1] crash in ${place}, ${times} times: nothing is lost, doubled or out of order`, async () => {
      const node = await grown();
      if (place === 'activated' || place === 'companion') lay(node, 'step');
      lay(node, place, times);
      node.tell({ type: 'add', by: 10 });
      for (let n = 0; n < times; n += 1) node.tell({ type: 'toil' });
      node.tell({ type: 'add', by: 100 });
      const asked = node.host.ask(MINE, { type: 'peek' });
      node.tell({ type: 'add', by: 5 }, SIBLING);
      await node.clock.advance(60_000);
      const answer = await asked;
      assert.ok(answer.ok, JSON.stringify(answer));
      assert.equal(answer.value, 111);
      assert.equal(totalOf(node), 111);
      assert.equal(node.fuses.get(`${place} ${MINE}`), 0, 'the mine went off');
      assert.ok(Number(seen(node)?.['restarts']) >= 1);
      assert.equal(seen(node)?.['state'], 'awake');
      assert.deepEqual(
        [totalOf(node, SIBLING), seen(node, SIBLING)?.['restarts']],
        [6, 0],
        'the sibling noticed nothing',
      );
      const later = node.said.filter((word) => word.startsWith(`later ${MINE}`));
      const lost = place === 'later' ? times : 0;
      assert.deepEqual(later, [`later ${MINE} 10`, `later ${MINE} 100`].slice(lost));
      const journal = await node.store.journal(0, 20);
      assert.equal(journal.ok && journal.value.length, 5, 'each decision is there once');
      assert.equal(node.metrics.counts['late_replies_total'], undefined);
      assert.equal(node.open.size, 2, 'one companion each');
    });
  }
}

test('[SU-24] the message in hand is tried again before what waits behind it', async () => {
  const node = await grown();
  lay(node, 'step', 2);
  node.tell({ type: 'add', by: 10 });
  node.tell({ type: 'add', by: 100 });
  await node.clock.advance(60_000);
  assert.deepEqual(heardBy(node), [...['activated', 'add 1', 'activated', 'add 10', 'add 100']]);
});

test('[SU-24] a question whose message is in hand is tried again and answered once; as poison it is refused', async () => {
  const node = await grown();
  lay(node, 'peek', 2);
  const first = node.host.ask(MINE, { type: 'peek' });
  await node.clock.advance(1_000);
  assert.deepEqual(await first, { ok: true, value: 1 });
  lay(node, 'peek', 3);
  const poison = node.host.ask(MINE, { type: 'peek' });
  await node.clock.advance(1_000);
  const refused = await poison;
  assert.ok(!refused.ok && refused.failure.code === 'not-taken');
  assert.equal(node.metrics.counts['late_replies_total'], undefined);
});

test('[SU-25] a poison message ends among the dead letters with what was in it, and what follows goes on', async () => {
  const node = await grown();
  lay(node, 'step', 3);
  const note = { password: 'hunter2', env: { KEY: 'k3y' }, text: 'x'.repeat(10_000), deep: [[1]] };
  node.tell({ type: 'add', by: 10, note });
  node.tell({ type: 'add', by: 100 });
  await node.clock.advance(60_000);
  assert.equal(totalOf(node), 101);
  const [letter] = node.host.deadLetters.list();
  assert.deepEqual([letter?.to, letter?.message, letter?.reason], [MINE, 'add', 'poison']);
  const payload = letter?.payload ?? '';
  assert.ok(payload.includes('"by":10') && payload.includes('"deep":[[1]]'), payload);
  assert.ok(!payload.includes('hunter2') && !payload.includes('k3y'), payload);
  assert.ok(payload.length < 600);
});

test('[SU-3] poison state: when every message crashes it, it is quarantined; resumed, it has its chances again', async () => {
  const node = await grown();
  lay(node, 'activated', 1_000);
  lay(node, 'step');
  node.tell({ type: 'add', by: 10 });
  await node.clock.advance(60_000);
  const crashes = 1 + RESTART_DEFAULT.intensity;
  assert.equal(seen(node)?.['quarantined'], true);
  assert.equal(node.fuses.get(`activated ${MINE}`), 1_000 - crashes + 1);
  assert.equal(totalOf(node), 1, 'its state is kept and shown');
  assert.equal(node.host.deadLetters.counts().quarantined, 1, 'what waited is not lost silently');
  const asked = await node.host.ask(MINE, { type: 'peek' });
  assert.ok(!asked.ok && asked.failure.code === 'not-taken');
  assert.ok(node.host.resume(MINE));
  await node.clock.advance(60_000);
  assert.equal(seen(node)?.['quarantined'], true);
  assert.equal(node.fuses.get(`activated ${MINE}`), 1_000 - 2 * crashes + 1);
  node.fuses.clear();
  assert.ok(node.host.resume(MINE));
  node.tell({ type: 'add', by: 10 });
  await node.clock.settle();
  assert.equal(totalOf(node), 11);
});

test('[SU-23] the first restart is at once, those right after it back off, and all is forgiven after a while', async () => {
  const node = await grown();
  lay(node, 'step');
  node.tell({ type: 'add', by: 10 });
  await node.clock.settle();
  assert.equal(totalOf(node), 11, 'no time has passed');
  lay(node, 'step');
  node.tell({ type: 'add', by: 10 });
  await node.clock.settle();
  assert.equal(seen(node)?.['state'], 'restarting');
  await node.clock.advance(RESTART_BACKOFF.baseMs);
  assert.equal(totalOf(node), 21);
  await node.clock.advance(RESTART_DEFAULT.periodMs + 1);
  lay(node, 'step');
  node.tell({ type: 'add', by: 10 });
  await node.clock.settle();
  assert.equal(totalOf(node), 31);
});

test('[SU-23] ten thousand crash at once: all come back without a timer, and a bystander has its turn among them', async () => {
  const real = createVirtualClock();
  let timers = 0;
  const clock = {
    ...real,
    after: (delayMs: number, run: () => void) => {
      timers += 1;
      return real.after(delayMs, run);
    },
  };
  const node = await minedNode({ clock });
  const herd = Array.from({ length: 10_000 }, (_, n) => addressOf('group', `t/g${n}`));
  for (const address of herd) node.tell({ type: 'toil' }, address);
  node.tell({ type: 'add', by: 1 }, SIBLING);
  await clock.settle();
  for (const address of herd) node.fuses.set(`step ${address}`, 1);
  const before = timers;
  node.said.length = 0;
  for (const address of herd) node.tell({ type: 'add', by: 1 }, address);
  node.tell({ type: 'add', by: 1 }, SIBLING);
  await clock.settle();
  assert.equal(timers, before, 'the first restart needs none');
  assert.deepEqual(restartsOf(node, herd), [1]);
  const place = node.said.indexOf(`now ${SIBLING} 1`);
  assert.equal(place, 0, 'whoever waits already goes before those that come back');
  // A second crash each: their back-offs wait in one wheel.
  for (const address of herd) node.fuses.set(`step ${address}`, 1);
  for (const address of herd) node.tell({ type: 'add', by: 1 }, address);
  await clock.advance(RESTART_BACKOFF.baseMs);
  assert.ok(timers - before <= 2 * RESTART_BACKOFF.baseMs, `${timers - before} host timers`);
  assert.deepEqual(restartsOf(node, herd), [2]);
});

/** Each number of restarts that any of these has had. */
function restartsOf({ host }: MinedNode, of: readonly Address[]): readonly unknown[] {
  const views = new Map(host.actorViews().map((view) => [view['address'], view['restarts']]));
  return [...new Set(of.map((address) => views.get(address)))];
}

test('[SU-24] an actor that crashes while decisions are under way comes back when they are answered, with them', async () => {
  const node = await grown();
  node.mood.commit = 'held';
  node.tell({ type: 'add', by: 10 });
  await node.clock.settle();
  lay(node, 'step');
  node.tell({ type: 'add', by: 100 });
  await node.clock.advance(500);
  assert.equal(seen(node)?.['state'], 'restarting');
  node.mood.commit = 'works';
  await node.clock.advance(10);
  assert.equal(totalOf(node), 111);
  assert.deepEqual(
    node.said.filter((word) => word.startsWith('later')),
    [`later ${MINE} 10`, `later ${MINE} 100`],
  );
});

test('[SU-24] [RT-8] refused while it is down, it comes back without what was refused', async () => {
  const node = await grown();
  node.mood.commit = 'held';
  node.tell({ type: 'add', by: 10 });
  await node.clock.settle();
  lay(node, 'step');
  node.tell({ type: 'add', by: 100 });
  await node.clock.settle();
  node.mood.commit = 'refused once';
  await node.clock.advance(1_000);
  assert.equal(totalOf(node), 101);
  assert.ok(!node.said.includes(`later ${MINE} 10`));
});

test('[RT-27] [SU-3] quarantined with a decision under way: that its effect fails long after does not bring it back', async () => {
  const node = await grown();
  for (let n = 0; n < RESTART_DEFAULT.intensity; n += 1) {
    lay(node, 'step');
    node.tell({ type: 'add', by: 1 });
    await node.clock.advance(1_000);
  }
  node.mood.commit = 'held';
  node.tell({ type: 'add', by: 10 });
  await node.clock.settle();
  lay(node, 'step');
  lay(node, 'later');
  node.tell({ type: 'add', by: 1 });
  await node.clock.settle();
  assert.equal(seen(node)?.['quarantined'], true);
  await node.clock.advance(2 * RESTART_DEFAULT.periodMs);
  node.mood.commit = 'works';
  await node.clock.advance(60_000);
  assert.equal(node.fuses.get(`later ${MINE}`), 0, 'the effect failed');
  assert.equal(seen(node)?.['quarantined'], true);
});

test('[SU-24] a view that throws hides its own actor and nothing else, and is no crash', async () => {
  const node = await grown();
  lay(node, 'view', 1);
  const shown = node.host.views('group').map(({ address }) => address);
  assert.deepEqual(shown, [SIBLING]);
  assert.equal(seen(node)?.['restarts'], 0);
  assert.equal(totalOf(node), 1);
});

test('[SU-27] a group that crashes, or is quarantined, leaves its instances alone, and sees them when it is back', async () => {
  const node = await grown();
  const child = addressOf('instance', 'i-1');
  node.tell({ type: 'breed', child: 'i-1' });
  await node.clock.settle();
  node.tell({ type: 'add', by: 7 }, child);
  await node.clock.settle();
  lay(node, 'step', 2);
  node.tell({ type: 'add', by: 10 });
  await node.clock.advance(1_000);
  assert.deepEqual([seen(node)?.['restarts'], seen(node, child)?.['restarts']], [2, 0]);
  const [view] = node.host.views('instance');
  assert.deepEqual([view?.['total'], view?.['heard']], [7, ['activated', 'add 7']]);
  // And the other way round.
  node.fuses.set(`step ${child}`, 1);
  node.tell({ type: 'add', by: 1 }, child);
  await node.clock.advance(1_000);
  assert.deepEqual([seen(node)?.['restarts'], seen(node, child)?.['restarts']], [2, 1]);
  lay(node, 'activated', 100);
  lay(node, 'step', 1);
  node.tell({ type: 'add', by: 10 });
  await node.clock.advance(60_000);
  assert.equal(seen(node)?.['quarantined'], true);
  node.tell({ type: 'add', by: 1 }, child);
  await node.clock.settle();
  assert.equal(node.host.views('instance')[0]?.['total'], 9);
});

test('[SU-24] while an actor is down its mailbox stays bounded, and the sender is told at the bound', async () => {
  const node = await grown();
  lay(node, 'step', 2);
  node.tell({ type: 'add', by: 10 });
  await node.clock.settle();
  assert.equal(seen(node)?.['state'], 'restarting');
  for (let n = 0; n < MAILBOX_MESSAGES_MAX + 7; n += 1) node.tell({ type: 'toil' });
  assert.equal(node.host.deadLetters.counts()['mailbox-full'], 7);
  await node.clock.advance(1_000);
  assert.equal(totalOf(node), 11);
  assert.equal(seen(node)?.['mailboxDepth'], 0);
});

test('[RT-29] what is told to an implicit actor within its farewell begins a new one, in order', async () => {
  const node = await grown();
  node.mood.commit = 'held';
  node.tell({ type: 'leave' });
  node.tell({ type: 'add', by: 3 });
  node.tell({ type: 'add', by: 4 });
  await node.clock.settle();
  node.mood.commit = 'works';
  await node.clock.advance(10);
  assert.deepEqual(heardBy(node), ['activated', 'add 3', 'add 4']);
  assert.equal(node.host.deadLetters.list().length, 0);
  const rows = await node.store.load(['group']);
  const mine = rows.ok ? rows.value.find(({ address }) => address === MINE) : undefined;
  assert.equal(mine?.context['total'], 7, 'and what it decides is stored');
});

test('[RT-29] what is told to a spawned actor within its farewell is a dead letter', async () => {
  const node = await grown();
  const child = addressOf('instance', 'i-1');
  node.tell({ type: 'breed', child: 'i-1' });
  await node.clock.settle();
  node.mood.commit = 'held';
  node.tell({ type: 'leave' }, child);
  node.tell({ type: 'add', by: 3 }, child);
  await node.clock.settle();
  node.mood.commit = 'works';
  await node.clock.advance(10);
  assert.equal(node.host.deadLetters.counts()['no-actor'], 1);
  assert.equal(seen(node, child), undefined);
});
