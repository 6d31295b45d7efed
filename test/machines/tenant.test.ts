/** The tenant machine: records before orders, converges when all parts did, and goes in order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { tenantMachine } from '../../machines/tenant.js';
import type { TenantMemory } from '../../machines/tenant-memory.js';
import {
  type AnswerParams,
  type LettersParams,
  type StatusParams,
  viewOf,
} from '../../machines/tenant-messages.js';
import { type Driven, drive } from '../support/drive.js';
import {
  ACME,
  frontendStatus,
  groupStatus,
  type TenantParts,
  tenantSpec,
} from '../support/tenant-spec.js';

type Tenant = Driven<TenantMemory>;

const desired = (parts: TenantParts = {}) => ({ type: 'tenant.desired', spec: tenantSpec(parts) });
const removed = (undoWindowMs = 300_000) => ({ type: 'tenant.removed', undoWindowMs });
const problem = (message = 'no template') => ({ type: 'tenant.problem', message });
const groupSays = (change = {}, name = 'web') => ({
  type: 'group.status',
  status: groupStatus(name, change),
});
const frontendSays = (change = {}, name = 'web') => ({
  type: 'frontend.status',
  status: frontendStatus(name, change),
});
const UNDELETE = { type: 'tenant.undelete' };

function fresh(): Tenant {
  const input = { address: addressOf('tenant', ACME) };
  return drive<TenantMemory>(tenantMachine, input).send({ type: 'activated' });
}

const accepted = (parts: TenantParts = {}): Tenant => fresh().send(desired(parts));
const converged = (parts: TenantParts = {}): Tenant =>
  accepted(parts).send(groupSays()).send(frontendSays());

const records = (tenant: Tenant): string =>
  tenant
    .said<RecordParams>('record')
    .map(({ event }) => event)
    .join(' ');

function letters(tenant: Tenant, effect: 'order' | 'repeat' = 'order'): string {
  return tenant
    .said<LettersParams>(effect)
    .flatMap((params) => params.letters)
    .map(({ to, message }) => `${to} ${message.type.split('.')[1]}`)
    .join(', ');
}

function status(tenant: Tenant): string {
  const told = [
    ...tenant.said<StatusParams>('tellStatus'),
    ...tenant.said<StatusParams>('repeatStatus'),
  ];
  return told.map(({ to, status: { state } }) => `${to ?? 'nobody'} ${state}`).join(', ');
}

test('[TN-1] tenant: an intent is recorded in the step that orders its parts', () => {
  const tenant = accepted();
  assert.equal(records(tenant), 'tenant.accepted');
  assert.equal(letters(tenant), 'group/acme/web desired, frontend/acme/web desired');
  assert.equal(status(tenant), 'tenancy/main accepted');
  const [record] = tenant.said<RecordParams>('record');
  assert.deepEqual(record?.publish?.data['groups'], ['acme/web']);
  assert.equal(record?.publish?.data['state'], 'accepted');
});

test('[TN-1] tenant: frontends know their owner', () => {
  const all = accepted()
    .said<LettersParams>('order')
    .flatMap((params) => params.letters);
  const owners = all.flatMap(({ message }) =>
    message.type === 'frontend.desired' ? [message.owner] : [],
  );
  assert.deepEqual(owners, ['tenant/acme']);
});

test('[TN-1] tenant: the same intent again records nothing; a newer generation is passed on', () => {
  const same = converged().send(desired());
  assert.deepEqual([records(same), letters(same), letters(same, 'repeat')], ['', '', '']);
  assert.equal(status(same), 'tenancy/main converged');
  const newer = same.send(desired({ generation: 2 }));
  assert.equal(records(newer), '');
  assert.equal(letters(newer, 'repeat'), 'group/acme/web desired, frontend/acme/web desired');
  assert.equal(newer.context.spec?.generation, 2);
});

test('[TN-9] tenant: an older intent changes nothing', () => {
  const newer = converged().send(desired({ generation: 5, size: 4 }));
  const older = newer.send(desired({ generation: 4, size: 9 }));
  assert.equal(older.effects.length, 0);
  assert.deepEqual(older.context, newer.context);
});

test('[TN-2] tenant: converged when every part is, and then says so once', () => {
  const half = accepted().send(groupSays());
  assert.equal(half.context.state, 'converging');
  assert.equal(records(half), '');
  const whole = half.send(frontendSays());
  assert.equal(records(whole), 'tenant.converged');
  assert.equal(status(whole), 'tenancy/main converged');
  assert.equal(records(whole.send(frontendSays())), '');
});

test('[TN-2] tenant: a tenant without parts has converged as soon as it is accepted', () => {
  const empty = accepted({ groups: [], frontends: [] });
  assert.equal(records(empty), 'tenant.accepted tenant.converged');
});

test('[TN-2] tenant: words about parts it does not have do not count', () => {
  const stray = accepted().send(groupSays({}, 'other')).send(frontendSays({}, 'other'));
  assert.equal(stray.context.state, 'accepted');
});

test('[TN-2] tenant: a changed intent starts over and reports until its parts have answered', () => {
  const changed = converged().send(desired({ generation: 2, size: 5 }));
  assert.equal(records(changed), 'tenant.accepted');
  assert.equal(changed.context.state, 'accepted');
  assert.equal(records(changed.send(groupSays()).send(frontendSays())), 'tenant.converged');
});

test('[TN-3] tenant: a converged tenant that wavers is degraded only when it stays so', () => {
  const wavering = converged().send(groupSays({ converged: false, serving: 2 }));
  assert.equal(records(wavering), '');
  assert.equal(viewOf(wavering.context)['state'], 'converged');
  assert.deepEqual(viewOf(wavering.context)['pending'], ['group/acme/web']);
  const back = wavering.send(groupSays());
  assert.equal(records(back), '');
  assert.equal(back.timers['patience'], undefined);
  const degraded = wavering.fire('patience');
  assert.equal(records(degraded), 'tenant.degraded');
  assert.equal(records(degraded.send(groupSays())), 'tenant.converged');
});

test('[TN-3] tenant: after a restart its patience begins again', () => {
  const wavering = converged().send(groupSays({ converged: false }));
  const woken = wavering.send({ type: 'activated' });
  assert.equal(woken.context.state, 'converged');
  assert.ok(woken.timers['patience'] !== undefined);
  assert.equal(records(woken), '');
});

test('[TN-3] tenant: a problem degrades it once, keeps what it has, and ends with an intent', () => {
  const troubled = converged().send(problem());
  assert.equal(records(troubled), 'tenant.degraded');
  assert.equal(letters(troubled), '');
  assert.equal(troubled.said<StatusParams>('tellStatus')[0]?.status.message, 'no template');
  assert.equal(records(troubled.send(problem())), '');
  const parked = viewOf(troubled.context);
  assert.deepEqual(parked['parked'], { error: 'no template' });
  const [condition] = parked['conditions'] as readonly JsonObject[];
  assert.equal(condition?.['severity'], 'warning');
  const mended = troubled.send(desired());
  assert.equal(records(mended), 'tenant.accepted');
  assert.equal(viewOf(mended.context)['parked'], undefined);
});

test('[TN-3] tenant: one that could never be derived is parked without parts', () => {
  const parked = fresh().send(problem());
  assert.equal(records(parked), 'tenant.degraded');
  assert.equal(letters(parked), '');
  assert.equal(records(parked.send(problem())), '');
  assert.equal(records(parked.send(problem('another'))), 'tenant.degraded');
  assert.equal(records(parked.send(desired())), 'tenant.accepted');
  const gone = parked.send(removed());
  assert.equal(records(gone), 'tenant.removed');
  assert.equal(gone.said('forget').length, 1);
});

test('[TN-4] tenant: a deletion waits for its window, and everything runs on meanwhile', () => {
  const deleting = converged().send(removed(300_000));
  assert.equal(records(deleting), 'tenant.deletion_accepted');
  assert.equal(letters(deleting), '');
  assert.equal(deleting.timers['undoWindow'], 300_000);
  assert.equal(status(deleting), 'tenancy/main deleting');
  assert.equal(typeof viewOf(deleting.context)['undoUntil'], 'string');
  const again = deleting.send(removed(1));
  assert.equal(records(again), '');
  assert.equal(again.timers['undoWindow'], 300_000);
  assert.equal(records(deleting.fire('undoWindow')), 'tenant.draining');
});

test('[TN-4] tenant: a window of 0 is no window', () => {
  const draining = converged().send(removed(0));
  assert.equal(records(draining), 'tenant.deletion_accepted tenant.draining');
  assert.equal(letters(draining), 'group/acme/web removed');
});

test('[TN-4] tenant: wanted again within the window, it stays', () => {
  const back = converged()
    .send(removed())
    .send(desired({ generation: 2 }));
  assert.equal(records(back), 'tenant.accepted');
  assert.equal(back.timers['undoWindow'], undefined);
});

test('[TN-6] tenant: an undelete is recorded before it is agreed to, and is over when it was', () => {
  const back = converged().send(removed()).send(UNDELETE, { replyTo: 'ask-1' });
  assert.equal(records(back), 'tenant.undeleted tenant.converged');
  const [answer] = back.said<AnswerParams>('agree');
  assert.deepEqual([answer?.replyTo, answer?.body['ok']], ['ask-1', true]);
  assert.equal(back.timers['undoWindow'], undefined);
});

const REFUSING: readonly (readonly [string, () => Tenant])[] = [
  ['unknown', fresh],
  ['parked', () => fresh().send(problem())],
  ['live', converged],
  ['draining', () => converged().send(removed(0))],
];

for (const [name, make] of REFUSING) {
  test(`[TN-6] tenant: nothing to undelete while ${name}`, () => {
    const asked = make().send(UNDELETE, { replyTo: 'ask-1' });
    const [answer] = asked.said<AnswerParams>('refuse');
    assert.equal(answer?.replyTo, 'ask-1');
    assert.equal(answer?.body['ok'], false);
    assert.equal(records(asked), '');
  });
}

test('[TN-5] tenant: groups go, then frontends, then the tenant [T19]', () => {
  const parts = { groups: ['web', 'db'], frontends: ['web', 'db'] };
  const draining = accepted(parts).send(removed(0));
  assert.equal(letters(draining), 'group/acme/web removed, group/acme/db removed');
  const half = draining.send(groupSays({ removed: true }));
  assert.equal(letters(half), 'group/acme/db removed');
  const drained = half.send(groupSays({ removed: true }, 'db'));
  assert.equal(letters(drained), 'frontend/acme/web removed, frontend/acme/db removed');
  const last = drained.send(frontendSays({ removed: true }));
  assert.equal(status(last), '');
  const gone = last.send(frontendSays({ removed: true }, 'db'));
  assert.equal(records(gone), 'tenant.part_gone tenant.removed');
  assert.equal(status(gone), 'tenancy/main removed');
  assert.equal(gone.said('forget').length, 1);
});

test('[TN-5] tenant: the reason of a removed tenant reaches its groups', () => {
  const reasonOf = (tenant: Tenant) =>
    tenant
      .said<LettersParams>('order')
      .flatMap((params) => params.letters)
      .flatMap(({ message }) => (message.type === 'group.removed' ? [message.reason] : []));
  assert.deepEqual(reasonOf(accepted().send(removed(0))), ['tenant-removed']);
  const smaller = accepted().send(desired({ groups: [], frontends: [], generation: 2 }));
  assert.deepEqual(reasonOf(smaller), ['group-removed']);
});

test('[TN-5] tenant: what a changed intent leaves out goes in the same order', () => {
  const changed = converged({ groups: ['web'], frontends: ['web'] }).send(
    desired({ groups: ['api'], frontends: ['api'], generation: 2 }),
  );
  assert.equal(
    letters(changed),
    'group/acme/api desired, frontend/acme/api desired, group/acme/web removed',
  );
  const next = changed.send(groupSays({ removed: true }));
  assert.match(letters(next), /frontend\/acme\/web removed$/);
  const clean = next
    .send(frontendSays({ removed: true }))
    .send(groupSays({}, 'api'))
    .send(frontendSays({}, 'api'));
  assert.equal(records(clean), 'tenant.converged');
  assert.deepEqual(Object.keys(clean.context.groups), ['acme/api']);
});

test('[TN-5] tenant: a part that is gone although it is wanted is ordered again', () => {
  const again = converged().send(groupSays({ removed: true }));
  assert.match(letters(again), /group\/acme\/web desired/);
});

test('[TN-7] tenant: after a restart, and while something is pending, parts are told again', () => {
  const live = 'group/acme/web desired, frontend/acme/web desired';
  const woken = converged().send({ type: 'activated' });
  assert.equal(letters(woken, 'repeat'), live);
  assert.equal(status(woken), 'tenancy/main converged');
  assert.equal(records(woken), '');
  assert.equal(letters(accepted().fire('resyncDue'), 'repeat'), live);
  assert.equal(letters(converged().fire('resyncDue'), 'repeat'), '');
  const draining = converged().send(removed(0));
  assert.equal(letters(draining.fire('resyncDue'), 'repeat'), 'group/acme/web removed');
  assert.equal(letters(draining.send({ type: 'activated' }), 'repeat'), 'group/acme/web removed');
});

test('[TN-8] tenant: wanted again while draining, it is made afresh when everything is gone', () => {
  const draining = converged()
    .send(removed(0))
    .send(desired({ generation: 2 }));
  assert.equal(letters(draining), '');
  const empty = draining.send(groupSays({ removed: true })).send(frontendSays({ removed: true }));
  assert.equal(records(empty), 'tenant.part_gone tenant.accepted');
  assert.equal(letters(empty).endsWith('group/acme/web desired, frontend/acme/web desired'), true);
  assert.equal(empty.said('forget').length, 0);
  const not = converged()
    .send(removed(0))
    .send(desired({ generation: 2 }))
    .send(removed(0));
  assert.equal(
    records(not.send(groupSays({ removed: true })).send(frontendSays({ removed: true }))),
    'tenant.part_gone tenant.removed',
  );
});

test('[TN-5] tenant: a stranger is told to be gone, records nothing and is forgotten', () => {
  const stranger = fresh().send(removed());
  assert.equal(status(stranger), 'tenancy/main removed');
  assert.equal(records(stranger), '');
  assert.equal(stranger.said('forget').length, 1);
  assert.equal(fresh().send(groupSays()).said('forget').length, 1);
});

test('[TN-1] tenant: nobody but this node hears of a tenant of the configuration', () => {
  assert.equal(status(accepted({ source: 'static' })), 'nobody accepted');
});

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

test('[TN-1] [TN-5] [TN-7] tenant: every history of five moves keeps the laws, and heals', () => {
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
  visit(fresh(), 5, 'fresh');
  assert.ok(explored > 100, `${explored} states`);
});

/** From anywhere: one more desire, and parts that do as they are told, end in a converged tenant. */
function heals(tenant: Tenant, path: string): void {
  if (tenant.value === 'removed' || tenant.value === 'absent') return;
  let now = tenant.send(desired({ generation: 9 }));
  for (let round = 0; round < 4; round += 1) {
    const leaving = now.context.leaving;
    now = now.send(groupSays({ removed: leaving }));
    if (now.value === 'draining' || leaving) now = now.send(frontendSays({ removed: true }));
    else now = now.send(frontendSays());
  }
  assert.equal(now.context.state, 'converged', path);
}
