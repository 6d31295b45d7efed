/** Which instances a configuration would create, replace and delete, from what it says and what there is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupSpec, TenantSpec } from '../../machines/model/desired.js';
import type { JsonObject } from '../../machines/model/json.js';
import { instancesOf, unplannable, withOrdered } from '../../src/app/plan-instances.js';
import { catalogueOf } from '../../src/config/ordered-group.js';
import { configFrom } from '../support/config.js';
import { groupSpec } from '../support/group-spec.js';

const GROUP = { tenant: 'acme', name: 'web', size: 3, effectiveSize: 3 };

function member(id: string, change: JsonObject = {}): JsonObject {
  const made = { provider: 'local', infraHash: 'abc123' };
  return { id, tenant: 'acme', group: 'web', state: 'serving', ...made, ...change };
}

function planned(change: Partial<GroupSpec>, members: readonly JsonObject[]) {
  const tenant = { groups: [groupSpec(change)] } as unknown as TenantSpec;
  const found = instancesOf([tenant], { groups: [GROUP], members });
  return found.map(({ action, id }) => [action, id ?? null]);
}

test('[GR-21] plan: instances made from another template or provider are replaced', () => {
  const members = [
    member('i-1'),
    member('i-2', { infraHash: 'old' }),
    member('i-3', { provider: 'cloud' }),
    member('i-4', { infraHash: 'old', state: 'draining' }),
  ];
  assert.deepEqual(planned({}, members), [
    ['replace', 'i-2'],
    ['replace', 'i-3'],
  ]);
  const grown = planned({ size: 4 }, members);
  assert.deepEqual(grown[0], ['create', null]);
  assert.equal(grown.length, 3);
});

test('[TN-10] [TN-11] plan: groups that programs ordered go on; one that cannot be made any more stays', () => {
  const catalogue = catalogueOf(
    configFrom('providers: { p: { driver: simulated } }\ntemplates: { web: { provider: p } }'),
  );
  const ordered = (name: string, template: string) => ({
    group: `acme/${name}`,
    wish: { template, size: 2 },
  });
  const known = [{ id: 'acme', ordered: [ordered('jobs', 'web'), ordered('old', 'gone')] }];
  const tenant = { id: 'acme', groups: [], generation: 2 } as unknown as TenantSpec;
  const [planned] = withOrdered([tenant], known, catalogue);
  assert.deepEqual(
    planned?.groups.map(({ key, size }) => [key, size]),
    [['acme/jobs', 2]],
  );
  assert.deepEqual([...unplannable(known, catalogue)], ['acme/old']);
});
