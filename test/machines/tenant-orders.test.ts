/** Rules TN-10..TN-12: groups that programs order of a tenant, and its sleep. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LettersParams } from '../../machines/tenant-messages.js';
import { type AnswerParams, viewOf } from '../../machines/tenant-messages.js';
import { ORDERED_GROUPS_MAX } from '../../machines/tenant-orders.js';
import {
  accepted,
  converged,
  desired,
  dismissed,
  fresh,
  frontendSays,
  groupSays,
  letters,
  ordered,
  planOf,
  records,
  removed,
  SLEEP,
  type Tenant,
  UNDELETE,
  WAKE,
} from '../support/driven-tenant.js';

const ASK = { replyTo: 'ask' };
const settled = (tenant: Tenant): Tenant =>
  tenant.send(groupSays()).send(groupSays({}, 'jobs')).send(frontendSays());

function answer(tenant: Tenant): string {
  const [said] = [...tenant.said<AnswerParams>('agree'), ...tenant.said<AnswerParams>('refuse')];
  const body = said?.body as { ok: boolean; refusal?: { rule: string; message: string } };
  return body.ok ? 'ok' : `${body.refusal?.rule}: ${body.refusal?.message}`;
}

/** Sizes that groups are told. */
function sizes(tenant: Tenant): Readonly<Record<string, string>> {
  const told = tenant.said<LettersParams>('order').flatMap(({ letters }) => letters);
  return Object.fromEntries(
    told.flatMap(({ to, message }) =>
      message.type === 'group.desired'
        ? [[to, `${message.spec.size}${message.spec.asleep === true ? ' asleep' : ''}`]]
        : [],
    ),
  );
}

test('[TN-10] tenant: a group that was ordered is on record, made, and converged with the others', () => {
  const order = converged().send(ordered(), ASK);
  assert.equal(records(order), 'tenant.group_ordered');
  assert.deepEqual(sizes(order), { 'group/acme/web': '3', 'group/acme/jobs': '2' });
  assert.equal(answer(order), 'ok');
  assert.equal(order.context.state, 'accepted');
  assert.equal(settled(order).context.state, 'converged');
  const again = settled(order).send(ordered(), ASK);
  assert.deepEqual([records(again), answer(again), letters(again)], ['', 'ok', '']);
  assert.equal(sizes(again.send(ordered(4), ASK))['group/acme/jobs'], '4');
});

test('[TN-10] tenant: it outlives other intents of the configuration, whose groups come first', () => {
  const order = settled(converged().send(ordered()));
  const other = order.send(desired({ generation: 2, size: 5 }));
  assert.deepEqual(sizes(other), { 'group/acme/web': '5', 'group/acme/jobs': '2' });
  const taken = other.send(desired({ generation: 3, groups: ['web', 'jobs'] }));
  assert.deepEqual(sizes(taken), { 'group/acme/web': '3', 'group/acme/jobs': '3' });
  const [hidden] = viewOf(taken.context)['ordered'] as { hiddenBy?: string }[];
  assert.equal(hidden?.hiddenBy, 'configuration');
  assert.match(answer(taken.send(ordered(), ASK)), /^TN-10: .* is a group of the configuration/);
  assert.equal(sizes(taken.send(desired({ generation: 4 })))['group/acme/jobs'], '2');
});

test('[TN-10] tenant: dismissed it is removed, once, and goes with its tenant, not with what comes after', () => {
  const order = settled(converged().send(ordered()));
  const gone = order.send(dismissed(), ASK);
  assert.equal(records(gone), 'tenant.group_dismissed');
  assert.match(letters(gone), /group\/acme\/jobs removed/);
  const again = gone.send(dismissed(), ASK);
  assert.deepEqual([records(again), answer(again)], ['', 'ok']);
  const undone = order.send(removed()).send(UNDELETE);
  assert.equal(sizes(undone)['group/acme/jobs'], '2');
  const draining = order.send(removed(0));
  assert.match(letters(draining), /acme\/jobs removed/);
  let after = draining.send(desired({ generation: 2 }));
  for (const name of ['web', 'jobs']) after = after.send(groupSays({ removed: true }, name));
  after = after.send(frontendSays({ removed: true }));
  assert.deepEqual(sizes(after), { 'group/acme/web': '3' });
});

test('[TN-10] tenant: who may not order, and how many', () => {
  assert.match(answer(fresh().send(ordered(), ASK)), /there is no such tenant/);
  assert.match(answer(accepted().send(ordered(2, 'No Name'), ASK)), /cannot name a group/);
  assert.match(answer(converged().send(removed()).send(ordered(), ASK)), /undelete it first/);
  let many = accepted();
  for (let index = 0; index < ORDERED_GROUPS_MAX; index += 1) {
    many = many.send(ordered(1, `g${index}`));
  }
  assert.match(answer(many.send(ordered(), ASK)), /64 groups that programs ordered/);
  assert.equal(answer(many.send(ordered(3, 'g0'), ASK)), 'ok');
});

test('[TN-11] tenant: planned anew with another configuration; what it cannot make stays and says so', () => {
  const order = settled(converged().send(ordered()));
  const plans = { jobs: { plan: { ...planOf(2), maxSize: 9 } } };
  const next = order.send({ type: 'tenant.replan', plans } as never, ASK);
  assert.equal(records(next), 'tenant.groups_replanned');
  const again = settled(next).send({ type: 'tenant.replan', plans } as never, ASK);
  assert.deepEqual([records(again), answer(again)], ['', 'ok']);
  const without = { jobs: { problem: 'no template is named "web"' } };
  const stuck = again.send({ type: 'tenant.replan', plans: without } as never, ASK);
  assert.equal(sizes(stuck)['group/acme/jobs'], '2');
  const conditions = viewOf(stuck.context)['conditions'] as { type: string }[];
  assert.deepEqual(
    conditions.map(({ type }) => type),
    ['group-unplanned'],
  );
  assert.equal(answer(stuck.send(ordered(), ASK)), 'ok');
});

test('[TN-12] tenant: asleep its groups want nobody, over intents, until it is woken', () => {
  const asleep = converged().send(SLEEP, ASK);
  assert.equal(records(asleep), 'tenant.asleep');
  assert.deepEqual(sizes(asleep), { 'group/acme/web': '3 asleep' });
  const again = asleep.send(SLEEP, ASK);
  assert.deepEqual([records(again), answer(again)], ['', 'ok']);
  const other = asleep.send(desired({ generation: 2, size: 5 }));
  assert.deepEqual(sizes(other), { 'group/acme/web': '5 asleep' });
  assert.match(JSON.stringify(viewOf(other.context)), /"asleep":.*"batch".*tenant-asleep/);
  const awake = other.send(WAKE, ASK);
  assert.equal(records(awake), 'tenant.awake');
  assert.deepEqual(sizes(awake), { 'group/acme/web': '5' });
  assert.deepEqual(records(awake.send(WAKE, ASK)), '');
});

test('[TN-12] tenant: an instance on demand keeps it awake, and wakes it', () => {
  const busy = converged().send(groupSays({ onDemand: 1 }));
  assert.match(
    answer(busy.send(SLEEP, ASK)),
    /^TN-12: instances on demand are there \(acme\/web\)/,
  );
  const idle = busy.send(groupSays());
  const asleep = idle.send(SLEEP, ASK);
  assert.equal(answer(asleep), 'ok');
  const woken = asleep.send(groupSays({ onDemand: 1 }));
  assert.equal(records(woken), 'tenant.awake');
  assert.deepEqual(sizes(woken), { 'group/acme/web': '3' });
  assert.match(answer(asleep.send(removed()).send(WAKE, ASK)), /being deleted/);
});
