/** Whose something at the provider is: the grid, and the quarantine of what is nobody's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupKeyOf, type InstanceId, type TenantId } from '../../machines/model/ids.js';
import type { Stranger } from '../../machines/model/orphans.js';
import {
  belongingOf,
  type Claim,
  dueOrphans,
  type Listed,
  newcomers,
  ORPHAN_DELETES_MAX,
  ORPHANS_MAX,
  orphansAfter,
} from '../../src/policy/orphans.js';

const listed: Listed = { providerId: 'p-1', token: 't-1', state: 'running', epoch: 5 };
const row: Claim = { token: 't-1', providerId: 'p-1', state: 'serving' };

const cases: readonly {
  readonly rule: string;
  readonly name: string;
  readonly listed?: Partial<Listed>;
  readonly claim: Claim;
  readonly is: string;
}[] = [
  { rule: 'OR-1', name: 'a row that names it', claim: row, is: 'ours' },
  { rule: 'OR-1', name: 'no row', claim: 'none', is: 'unknown' },
  { rule: 'OR-1', name: 'a row that cannot be read', claim: 'unreadable', is: 'ours' },
  {
    rule: 'OR-1',
    name: 'a row of another token',
    claim: { ...row, token: 't-2' },
    is: 'unknown',
  },
  {
    rule: 'OR-1',
    name: 'a row that has another one for its token',
    claim: { ...row, providerId: 'p-2' },
    is: 'duplicate',
  },
  { rule: 'OR-1', name: 'a row that is over', claim: { ...row, state: 'deleted' }, is: 'leftover' },
  {
    rule: 'OR-1',
    name: 'a row whose delete is under way',
    claim: { ...row, state: 'deleting' },
    is: 'ours',
  },
  {
    rule: 'OR-2',
    name: 'a row that waits for it',
    claim: { ...row, providerId: null, state: 'creating' },
    is: 'unmet',
  },
  {
    rule: 'OR-2',
    name: 'a row that gave it up',
    claim: { ...row, providerId: null, state: 'failed' },
    is: 'unmet',
  },
  {
    rule: 'OR-3',
    name: 'dead, and no row',
    listed: { state: 'terminal' },
    claim: 'none',
    is: 'ours',
  },
  { rule: 'OR-3', name: 'of a later epoch', listed: { epoch: 6 }, claim: 'none', is: 'ours' },
  { rule: 'OR-3', name: 'of an earlier epoch', listed: { epoch: 4 }, claim: 'none', is: 'unknown' },
];

for (const one of cases) {
  test(`[${one.rule}] orphans: ${one.name} is ${one.is}`, () => {
    assert.equal(belongingOf({ ...listed, ...one.listed }, one.claim, 5), one.is);
  });
}

const stranger = (index: number, why: Stranger['why'] = 'unknown'): Stranger => ({
  providerId: `p-${index}`,
  token: `t-${index}`,
  tenant: 'acme' as TenantId,
  group: groupKeyOf('acme', 'web'),
  instance: `i-0000-${index.toString(16).padStart(12, '0')}` as InstanceId,
  address: '127.64.0.9',
  why,
});
const RULE = { mode: 'delete', quarantineMs: 100 } as const;

test('[OR-4] orphans: due after a quarantine without a break, and only when asked for', () => {
  const first = orphansAfter({}, [stranger(1), stranger(2)], 1_000);
  assert.deepEqual(dueOrphans(first, RULE, 1_000), []);
  const gone = orphansAfter(first, [stranger(1)], 1_050);
  const back = orphansAfter(gone, [stranger(1), stranger(2)], 1_100);
  assert.deepEqual(
    dueOrphans(back, RULE, 1_100).map(({ providerId }) => providerId),
    ['p-1'],
  );
  assert.deepEqual(dueOrphans(back, { ...RULE, mode: 'report' }, 9_000), []);
  const marked = { ...back, 'p-1': { ...stranger(1), sinceMs: 1_000, deleting: true } };
  assert.deepEqual(dueOrphans(marked, RULE, 1_150), []);
});

test('[OR-4] orphans: another reason begins another quarantine', () => {
  const first = orphansAfter({}, [stranger(1)], 1_000);
  const other = orphansAfter(first, [stranger(1, 'duplicate')], 1_100);
  assert.deepEqual(dueOrphans(other, RULE, 1_100), []);
  assert.deepEqual(newcomers(first, other), []);
});

test('[OR-4] orphans: many are kept in mind up to a bound, and deleted a few at a time', () => {
  const many = Array.from({ length: ORPHANS_MAX + 5 }, (_, index) => stranger(index));
  const orphans = orphansAfter({}, many, 1_000);
  assert.equal(Object.keys(orphans).length, ORPHANS_MAX);
  assert.equal(dueOrphans(orphans, RULE, 2_000).length, ORPHAN_DELETES_MAX);
});
