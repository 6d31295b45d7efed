/** What a plan calls the groups and frontends of projects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TenantId } from '../../machines/model/ids.js';
import { labelsOf } from '../../src/app/plan-names.js';

const wanted = (id: string, displayName: string) => ({ id: id as TenantId, displayName });

const CASES = [
  { what: 'a project by its name', key: 'd395/web', label: 'shop/web' },
  { what: 'a project that goes by the name it has', key: '77aa/web', label: 'gone/web' },
  { what: 'a tenant of the configuration as it is', key: 'acme/web', label: undefined },
  { what: 'projects of one name by their ids', key: '0001/web', label: undefined },
  { what: 'a frontend of nobody as it is', key: 'mail', label: undefined },
];

for (const { what, key, label } of CASES) {
  test(`[CL-70] plan: it calls ${what}`, () => {
    const labelled = labelsOf(
      [
        wanted('d395', 'shop'),
        wanted('acme', 'acme'),
        wanted('0001', 'twin'),
        wanted('0002', 'twin'),
      ],
      [{ id: '77aa', name: 'gone' }],
    );
    assert.equal(labelled({}, key)['label'], label);
  });
}
