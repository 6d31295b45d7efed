/** What every way to a tenant manager keeps, whatever stands behind it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '../../machines/model/result.js';
import type { TenancyApi, TenancyFailure, TenancyPage } from '../../src/ports/tenancy-api.js';

export interface TenancyLab {
  readonly api: TenancyApi;
  createOrg(name: string): Promise<void>;
  createProject(org: string, name: string): Promise<void>;
  removeOrg(name: string): Promise<void>;
  removeProject(org: string, name: string): Promise<void>;
  /** `name status` of each project with a status of ours, in the order of creation. */
  statuses(): Promise<readonly string[]>;
  dispose(): Promise<void>;
}

const TIMEOUT_MS = 10_000;
const LIMIT = 100;

export function tenancyContract(name: string, open: () => Promise<TenancyLab>): void {
  const check = (title: string, body: (lab: TenancyLab) => Promise<void>): void => {
    test(title.replace('tenancy', name), async () => {
      const lab = await open();
      try {
        await body(lab);
      } finally {
        await lab.dispose();
      }
    });
  };

  check(
    '[TE-30] tenancy: a replay of nothing is empty, and so is the page after it',
    async (lab) => {
      const first = accepted(await lab.api.replay(TIMEOUT_MS));
      assert.deepEqual(first, { events: [], lastEventId: 0 });
      assert.deepEqual(accepted(await lab.api.poll(0, LIMIT, TIMEOUT_MS)), first);
    },
  );

  check(
    '[TE-30] tenancy: a replay brings parents first, what is deleted last, parents after',
    async (lab) => {
      await lab.createOrg('edge');
      await lab.createProject('edge', 'one');
      await lab.createOrg('core');
      await lab.createProject('core', 'two');
      await lab.removeProject('edge', 'one');
      await lab.removeOrg('core');
      await lab.createProject('edge', 'three');
      const page = accepted(await lab.api.replay(TIMEOUT_MS));
      assert.deepEqual(shown(page), [
        'created org edge',
        'created project three',
        'deleted project one',
        'deleted project two',
        'deleted org core',
      ]);
      assert.ok(page.events.every(({ id }) => id === 0));
      assert.equal(page.lastEventId, 8);
    },
  );

  check(
    '[TE-31] tenancy: pages follow each other without gaps, and keep to their limit',
    async (lab) => {
      await lab.createOrg('edge');
      for (const project of ['one', 'two', 'three', 'four'])
        await lab.createProject('edge', project);
      await lab.removeProject('edge', 'two');
      const seen: string[] = [];
      let after = 0;
      for (let round = 0; round < 4; round += 1) {
        const page = accepted(await lab.api.poll(after, 2, TIMEOUT_MS));
        assert.ok(page.events.length <= 2);
        assert.equal(page.lastEventId, page.events.at(-1)?.id ?? after);
        seen.push(...shown(page));
        after = page.lastEventId;
      }
      assert.deepEqual(seen, [
        'created org edge',
        'created project one',
        'created project two',
        'created project three',
        'created project four',
        'deleted project two',
      ]);
    },
  );

  check('[TE-31] tenancy: an id means the same resource in replays and in pages', async (lab) => {
    await lab.createOrg('edge');
    await lab.createProject('edge', 'one');
    const replayed = accepted(await lab.api.replay(TIMEOUT_MS)).events.map(idOf);
    assert.deepEqual(accepted(await lab.api.poll(0, LIMIT, TIMEOUT_MS)).events.map(idOf), replayed);
  });

  check('[TE-32] tenancy: the latest status stands, and deleting it twice is fine', async (lab) => {
    await lab.createOrg('edge');
    await lab.createProject('edge', 'one');
    const page = accepted(await lab.api.replay(TIMEOUT_MS));
    const project = page.events.find(({ resourceType }) => resourceType === 'project');
    const resource = { type: 'project', id: project?.resourceId ?? '' } as const;
    const put = (status: 'in_progress' | 'completed' | 'error', message = '') =>
      lab.api.putStatus(resource, status, message, TIMEOUT_MS);
    accepted(await put('in_progress'));
    accepted(await put('in_progress'));
    accepted(await put('error', 'no room'));
    assert.deepEqual(await lab.statuses(), ['one error']);
    accepted(await put('completed'));
    assert.deepEqual(await lab.statuses(), ['one completed']);
    accepted(await lab.api.deleteStatus(resource, TIMEOUT_MS));
    accepted(await lab.api.deleteStatus(resource, TIMEOUT_MS));
    assert.deepEqual(await lab.statuses(), []);
  });
}

function accepted<T>(result: Result<T, TenancyFailure>): T {
  assert.ok(result.ok, result.ok ? '' : result.failure.message);
  return result.value;
}

function shown({ events }: TenancyPage): string[] {
  return events.map(
    ({ eventType, resourceType, resourceName }) => `${eventType} ${resourceType} ${resourceName}`,
  );
}

function idOf({ resourceId }: { readonly resourceId: string }): string {
  return resourceId;
}
