/** The tenant machine: records before orders, converges when all parts did, and goes in order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordParams } from '../../machines/model/effects.js';
import type { JsonObject } from '../../machines/model/json.js';
import {
  type AnswerParams,
  type LettersParams,
  type StatusParams,
  viewOf,
} from '../../machines/tenant-messages.js';
import {
  accepted,
  converged,
  desired,
  fresh,
  frontendSays,
  groupSays,
  letters,
  problem,
  records,
  removed,
  status,
  type Tenant,
  UNDELETE,
} from '../support/driven-tenant.js';

test('[TN-1] tenant: an intent is recorded in the step that orders its parts', () => {
  const tenant = accepted();
  assert.equal(records(tenant), 'tenant.accepted');
  assert.equal(letters(tenant), 'group/acme/web desired, frontend/acme/web desired');
  assert.equal(status(tenant), 'resource/acme accepted');
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
  assert.equal(status(same), 'resource/acme converged');
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
  assert.equal(status(whole), 'resource/acme converged');
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
  assert.equal(status(deleting), 'resource/acme deleting');
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
  assert.equal(status(gone), 'resource/acme removed');
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
  assert.equal(status(woken), 'resource/acme converged');
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
  assert.equal(status(stranger), 'resource/acme removed');
  assert.equal(records(stranger), '');
  assert.equal(stranger.said('forget').length, 1);
  assert.equal(fresh().send(groupSays()).said('forget').length, 1);
});

test('[TN-1] tenant: nobody but this node hears of a tenant of the configuration', () => {
  assert.equal(status(accepted({ source: 'static' })), 'nobody accepted');
});
