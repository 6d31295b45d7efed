/** The sweep of one provider, driven by hand: what it asks, records and deletes, and when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf, groupKeyOf, type InstanceId, type TenantId } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { Stranger, SweepMessage, SweepSettings } from '../../machines/model/orphans.js';
import { type DeleteParams, sweepMachine } from '../../machines/sweep.js';
import { type AnswersParams, type SweepMemory, sweepShape } from '../../machines/sweep-messages.js';
import { ORPHAN_DELETES_MAX } from '../../src/policy/orphans.js';
import { type Driven, drive } from '../support/drive.js';

type Sweep = Driven<SweepMemory>;

const SETTINGS: SweepSettings = {
  provider: 'cloud',
  mode: 'report',
  intervalMs: 300_000,
  quarantineMs: 600_000,
};

const stranger = (index: number): Stranger => ({
  providerId: `p-${index}`,
  token: `t-${index}`,
  tenant: 'acme' as TenantId,
  group: groupKeyOf('acme', 'web'),
  instance: `i-0000-00000000000${index}` as InstanceId,
  address: '127.64.0.9',
  why: 'unknown',
});

function begun(settings: Partial<SweepSettings> = {}): Sweep {
  const sweep = drive<SweepMemory>(sweepMachine, { address: addressOf('sweep', 'cloud') });
  const told = { type: 'sweep.settings', settings: { ...SETTINGS, ...settings } };
  return sweep.send(told).fire('firstSweep', { at: 10_000 });
}

function listed(sweep: Sweep, indexes: readonly number[]): Sweep {
  const strangers = indexes.map(stranger);
  const message: SweepMessage = { type: 'orphans.listed', strangers, listed: 7, adopted: 0 };
  return sweep.send(message);
}

const told = (sweep: Sweep, message: SweepMessage): Sweep => sweep.send(message);
const recorded = (sweep: Sweep) => sweep.said<RecordParams>('record').map(({ event }) => event);
const conditions = (sweep: Sweep) =>
  (sweepShape(sweep.context)['conditions'] as JsonObject[]).map(({ type }) => type);

test('[OR-6] sweep: an orphan is told of once, and once when it is gone', () => {
  const first = listed(begun(), [1, 2]);
  assert.deepEqual(recorded(first), ['orphans.found']);
  assert.deepEqual(conditions(first), ['orphans']);
  const second = listed(first.fire('interval'), [1, 2]);
  assert.deepEqual(recorded(second), []);
  const third = listed(second.fire('interval'), []);
  assert.deepEqual(recorded(third), ['orphans.gone']);
  assert.deepEqual(conditions(third), []);
});

test('[OR-5] sweep: a list that fails, or never comes, changes nothing and says so', () => {
  const known = listed(begun({ mode: 'delete', quarantineMs: 0 }), [1]);
  const failure = { code: 'unavailable', message: 'page 3 is missing' } as const;
  const asking = known.fire('interval');
  const endings = [told(asking, { type: 'orphans.unlisted', failure }), asking.fire('silence')];
  for (const after of endings) {
    assert.deepEqual(Object.keys(after.context.orphans), ['p-1']);
    assert.deepEqual(recorded(after), []);
    assert.deepEqual(after.said('deleteOrphans'), []);
    assert.deepEqual(conditions(after), ['orphans', 'orphan-sweep-failing']);
    assert.equal(after.value, 'resting');
    assert.deepEqual(conditions(listed(after.fire('interval'), [])), []);
  }
});

test('[OR-7] sweep: a deletion is on record before the provider is asked, one at a time', () => {
  const settings = { mode: 'delete', quarantineMs: 600_000 } as const;
  const first = listed(begun(settings), [1, 2]);
  assert.deepEqual(first.said('deleteOrphans'), []);
  const early = listed(first.fire('interval', { at: 310_000 }), [1]);
  const due = listed(early.fire('interval', { at: 610_000 }), [1, 2]);
  assert.deepEqual(due.effects.map(({ type }) => type).slice(-2), ['record', 'deleteOrphans']);
  assert.deepEqual(recorded(due), ['orphans.found', 'orphans.deleting']);
  assert.deepEqual(due.said<DeleteParams>('deleteOrphans'), [
    { provider: 'cloud', providerIds: ['p-1'] },
  ]);
  const refused = told(due, {
    type: 'provider.deleteFailed',
    providerId: 'p-1',
    failure: { code: 'unavailable', message: 'no' },
  });
  assert.deepEqual(refused.said('deleteOrphans'), []);
  const again = listed(refused.fire('interval', { at: 910_000 }), [1]);
  assert.deepEqual(again.said('deleteOrphans'), [{ provider: 'cloud', providerIds: ['p-1'] }]);
});

test('[OR-4] sweep: deleting begins with the setting, and with a look of its own', () => {
  const first = listed(begun(), [1]);
  const told = { type: 'sweep.settings', settings: { ...SETTINGS, mode: 'delete' } };
  assert.deepEqual(listed(first.send(told), [1]).said('deleteOrphans'), []);
  const second = listed(first.fire('interval', { at: 700_000 }), [1, 2]);
  const looking = second.send(told, { at: 700_000 });
  assert.equal(looking.value, 'listing');
  assert.deepEqual(looking.said('deleteOrphans'), []);
  const deleting = listed(looking, [1, 2]);
  assert.deepEqual(recorded(deleting), ['orphans.deleting']);
  assert.deepEqual(deleting.said('deleteOrphans'), [{ provider: 'cloud', providerIds: ['p-1'] }]);
});

test('[OR-4] sweep: one list deletes at most its share, and only the next one more', () => {
  const many = Array.from({ length: ORPHAN_DELETES_MAX + 8 }, (_, index) => index);
  const first = listed(begun({ mode: 'delete', quarantineMs: 0 }), many);
  const deletedBy = (sweep: Sweep) =>
    sweep.said<DeleteParams>('deleteOrphans').map(({ providerIds }) => providerIds.length);
  assert.deepEqual(deletedBy(first), [ORPHAN_DELETES_MAX]);
  const failure = { code: 'unavailable', message: 'page 3 is missing' } as const;
  const unlisted = told(first.fire('interval'), { type: 'orphans.unlisted', failure });
  assert.deepEqual(deletedBy(unlisted), []);
  const same = told(unlisted, {
    type: 'sweep.settings',
    settings: { ...SETTINGS, mode: 'delete' },
  });
  assert.deepEqual(deletedBy(same), []);
  const second = listed(unlisted.fire('interval', { at: 900_000 }), many.slice(ORPHAN_DELETES_MAX));
  assert.deepEqual(deletedBy(second), [8]);
});

test('[OR-6] sweep: the same settings again change nothing', () => {
  const resting = listed(begun(), []);
  const same = told(resting, { type: 'sweep.settings', settings: SETTINGS });
  assert.deepEqual(same.effects, []);
});

test('[OR-9] sweep: who asks is answered when the list was compared, or could not be', () => {
  const resting = listed(begun(), []);
  const asking = resting.send({ type: 'operator.sweep' }, { replyTo: 'a' });
  assert.deepEqual([asking.value, asking.said('answer')], ['listing', []]);
  const both = asking.send({ type: 'operator.sweep' }, { replyTo: 'b' });
  const known = listed(both, [1]);
  const [answer, ...more] = known.said<AnswersParams>('answer');
  assert.deepEqual([answer?.askers, answer?.body['ok'], more], [['a', 'b'], true, []]);
  assert.deepEqual(
    ((answer?.body['orphans'] ?? []) as JsonObject[]).map(({ providerId }) => providerId),
    ['p-1'],
  );
  const failure = { code: 'unavailable', message: 'page 3 is missing' } as const;
  const again = known.send({ type: 'operator.sweep' }, { replyTo: 'c' });
  const failed = told(again, { type: 'orphans.unlisted', failure });
  const [refusal] = failed.said<AnswersParams>('answer');
  assert.deepEqual([refusal?.askers, refusal?.body['ok']], [['c'], false]);
  assert.match(JSON.stringify(refusal?.body), /OR-5.*page 3 is missing/);
  assert.deepEqual(listed(failed.fire('interval'), []).said('answer'), [], 'nobody waits any more');
});

test('[OR-9] sweep: asked before its first look it looks at once', () => {
  const sweep = drive<SweepMemory>(sweepMachine, { address: addressOf('sweep', 'cloud') });
  const early = told(sweep, { type: 'sweep.settings', settings: SETTINGS });
  assert.equal(early.send({ type: 'operator.sweep' }, { replyTo: 'a' }).value, 'listing');
});
