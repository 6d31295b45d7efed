/** Every short history of a tenant: what it must never do, and that it always finds back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  desired,
  dismissed,
  fresh,
  frontendSays,
  groupSays,
  letters,
  ordered,
  problem,
  records,
  removed,
  SLEEP,
  type Tenant,
  UNDELETE,
} from '../support/driven-tenant.js';

const MOVES: readonly (readonly [string, (tenant: Tenant) => Tenant])[] = [
  ['desired', (tenant) => tenant.send(desired())],
  ['changed', (tenant) => tenant.send(desired({ generation: 2, size: 5 }))],
  ['removed', (tenant) => tenant.send(removed())],
  ['undelete', (tenant) => tenant.send(UNDELETE, { replyTo: 'ask' })],
  ['problem', (tenant) => tenant.send(problem())],
  ['group up', (tenant) => tenant.send(groupSays())],
  ['group down', (tenant) => tenant.send(groupSays({ converged: false }))],
  ['group gone', (tenant) => tenant.send(groupSays({ removed: true }))],
  ['frontend up', (tenant) => tenant.send(frontendSays())],
  ['frontend gone', (tenant) => tenant.send(frontendSays({ removed: true }))],
  ['order', (tenant) => tenant.send(ordered())],
  ['dismiss', (tenant) => tenant.send(dismissed())],
  ['sleep', (tenant) => tenant.send(SLEEP, { replyTo: 'ask' })],
  ['on demand', (tenant) => tenant.send(groupSays({ onDemand: 1 }))],
  ['activated', (tenant) => tenant.send({ type: 'activated' })],
  ['window over', (tenant) => fireIfArmed(tenant, 'undoWindow')],
  ['patience over', (tenant) => fireIfArmed(tenant, 'patience')],
];

function fireIfArmed(tenant: Tenant, timer: string): Tenant {
  return tenant.timers[timer] === undefined ? tenant.send({ type: 'nothing' }) : tenant.fire(timer);
}

/** Laws of every step, whatever the history. */
function check(before: Tenant, after: Tenant, path: string): void {
  const hasRecord = after.said('record').length > 0;
  for (const durable of ['order', 'tellStatus', 'agree']) {
    assert.ok(after.said(durable).length === 0 || hasRecord, `${path}: ${durable} unrecorded`);
  }
  const sent = [...letters(after), letters(after, 'repeat')].join('');
  const leavingGroups = Object.values(after.context.groups).some(({ wanted }) => !wanted);
  assert.ok(
    !(leavingGroups && /frontend\/\S+ removed/.test(sent)),
    `${path}: a frontend goes before its group`,
  );
  if (records(after).includes('tenant.removed')) {
    assert.equal(Object.keys(after.context.groups).length, 0, `${path}: groups are left`);
    assert.equal(Object.keys(after.context.frontends).length, 0, `${path}: frontends are left`);
  }
  const wasRemoved = before.context.state === 'removed' || before.value === 'absent';
  assert.ok(!(wasRemoved && after.effects.length > 0), `${path}: the dead speak`);
}

test('[TN-1] [TN-5] [TN-7] tenant: every history of four moves keeps the laws, and heals', () => {
  let explored = 0;
  const seen = new Map<string, number>();
  const visit = (tenant: Tenant, depth: number, path: string): void => {
    const { sinceMs: _since, ...rest } = tenant.context;
    const key = JSON.stringify([tenant.value, rest, Object.keys(tenant.timers).sort()]);
    if ((seen.get(key) ?? -1) >= depth) return;
    seen.set(key, depth);
    explored += 1;
    heals(tenant, path);
    if (depth === 0) return;
    for (const [name, move] of MOVES) {
      const next = move(tenant);
      check(tenant, next, `${path} > ${name}`);
      visit(next, depth - 1, `${path} > ${name}`);
    }
  };
  visit(fresh(), 4, 'fresh');
  assert.ok(explored > 100, `${explored} states`);
});

/** From anywhere: one more desire, and parts that do as they are told, end in a converged tenant. */
function heals(tenant: Tenant, path: string): void {
  if (tenant.value === 'removed' || tenant.value === 'absent') return;
  let now = tenant.send(desired({ generation: 9 })).send(dismissed());
  for (let round = 0; round < 4; round += 1) {
    const leaving = now.context.leaving;
    now = now.send(groupSays({ removed: true }, 'jobs'));
    now = now.send(groupSays({ removed: leaving }));
    if (now.value === 'draining' || leaving) now = now.send(frontendSays({ removed: true }));
    else now = now.send(frontendSays());
  }
  assert.equal(now.context.state, 'converged', path);
}
