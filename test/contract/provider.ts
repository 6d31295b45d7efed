/**
 * What every provider keeps, whatever stands behind it. Run on the real process driver and on the
 * simulated one: a fake that is looser than the real thing would judge nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TemplateSpec } from '../../machines/model/desired.js';
import { groupKeyOf, type InstanceId, type TenantId } from '../../machines/model/ids.js';
import type { Result } from '../../machines/model/result.js';
import type { CreateRequest, ProvidedInstance, Provider } from '../../src/ports/provider.js';

/** A provider with room for `LAB_MAX_INSTANCES`, and the hand that kills what it made. */
export interface ProviderLab {
  readonly provider: Provider;
  readonly template: TemplateSpec;
  kill(providerId: string): void;
  /** Gives notice that its host goes; absent: there is no host but this one. */
  notify?(providerId: string, id: string, deadlineMs: number): void;
  /** Closes the provider and opens it again on the same world, as a restarted daemon does. */
  restart(): Promise<Provider>;
  /** Deletes everything and closes. */
  dispose(): Promise<void>;
}

export const LAB_MAX_INSTANCES = 6;
export const LAB_INSTALLATION = 'here';

/** Of this test process alone: the process driver finds instances by token on the whole machine. */
export function tokenOf(index: number): string {
  return `token-${process.pid}-${index}`;
}

export function requestFor(lab: ProviderLab, index: number): CreateRequest {
  return {
    token: tokenOf(index),
    template: lab.template,
    port: 8080,
    tags: {
      installation: LAB_INSTALLATION,
      node: 'edge-1',
      tenant: 'red' as TenantId,
      group: groupKeyOf('red', 'web'),
      instance: `i-0000-${index.toString(16).padStart(12, '0')}` as InstanceId,
      epoch: 1,
    },
  };
}

export function expectOk<T>(result: Result<T, { readonly message: string }>): T {
  assert.ok(result.ok, result.ok ? '' : result.failure.message);
  return result.value;
}

/** The next death the provider reports. */
export function nextExit(provider: Provider): Promise<string> {
  return new Promise((resolve) => provider.onExit((providerId) => resolve(providerId)));
}

export function providerContract(name: string, open: () => Promise<ProviderLab>): void {
  const check = (title: string, body: (lab: ProviderLab) => Promise<void>): void => {
    test(title.replace('provider', name), async () => {
      const lab = await open();
      try {
        await body(lab);
      } finally {
        await lab.dispose();
      }
    });
  };

  check('[PR-1] provider: one token makes one instance, also when asked at once', async (lab) => {
    const asked = await Promise.all(
      [1, 1, 2, 1].map((index) => lab.provider.create(requestFor(lab, index))),
    );
    const ids = asked.map((answer) => expectOk(answer).providerId);
    assert.equal(new Set(ids).size, 2);
    assert.equal(expectOk(await lab.provider.create(requestFor(lab, 1))).providerId, ids[0]);
    assert.equal((await everything(lab.provider)).length, 2);
  });

  check('[PR-1] provider: a token is known to a later run too', async (lab) => {
    const made = expectOk(await lab.provider.create(requestFor(lab, 1)));
    const later = await lab.restart();
    assert.deepEqual(expectOk(await later.findByToken(tokenOf(1))), made);
    assert.deepEqual(expectOk(await later.create(requestFor(lab, 1))), made);
  });

  check('[PR-5] provider: a token nobody used is positively absent', async (lab) => {
    expectOk(await lab.provider.create(requestFor(lab, 1)));
    assert.equal(expectOk(await lab.provider.findByToken(tokenOf(2))), undefined);
  });

  check('[PR-5] provider: what was created is running and carries its tags', async (lab) => {
    const request = requestFor(lab, 1);
    const made = expectOk(await lab.provider.create(request));
    assert.equal(made.state, 'running');
    assert.equal(made.token, request.token);
    assert.deepEqual(made.tags, request.tags);
    assert.deepEqual(expectOk(await lab.provider.status(made.providerId)), made);
  });

  check('[PR-4] provider: deleted is gone, and deleting what is gone succeeds', async (lab) => {
    const { providerId } = expectOk(await lab.provider.create(requestFor(lab, 1)));
    const both = await Promise.all([
      lab.provider.delete(providerId),
      lab.provider.delete(providerId),
    ]);
    both.map((answer) => expectOk(answer));
    expectOk(await lab.provider.delete(providerId));
    expectOk(await lab.provider.delete('never-made'));
    assert.equal(expectOk(await lab.provider.findByToken(tokenOf(1))), undefined);
    const status = await lab.provider.status(providerId);
    assert.equal(status.ok ? 'ok' : status.failure.code, 'not-found');
  });

  check('[PR-3] provider: a death is reported, and the dead one stays listed', async (lab) => {
    const { providerId } = expectOk(await lab.provider.create(requestFor(lab, 1)));
    const exit = nextExit(lab.provider);
    lab.kill(providerId);
    assert.equal(await exit, providerId);
    assert.equal(expectOk(await lab.provider.status(providerId)).state, 'terminal');
    assert.deepEqual(
      (await everything(lab.provider)).map(({ state }) => state),
      ['terminal'],
    );
  });

  check('[PR-3] provider: a later run sees the deaths of what it watches', async (lab) => {
    const { providerId } = expectOk(await lab.provider.create(requestFor(lab, 1)));
    const later = await lab.restart();
    const exit = nextExit(later);
    expectOk(await later.watch(providerId));
    lab.kill(providerId);
    assert.equal(await exit, providerId);
  });

  check('[PR-3] provider: watching the dead reports it soon', async (lab) => {
    const { providerId } = expectOk(await lab.provider.create(requestFor(lab, 1)));
    const later = await lab.restart();
    lab.kill(providerId);
    const exit = nextExit(later);
    expectOk(await later.watch(providerId));
    assert.equal(await exit, providerId);
    const nobody = await later.watch('never-made');
    assert.equal(nobody.ok ? 'ok' : nobody.failure.code, 'not-found');
  });

  check('[PR-3] provider: a death that was asked for is not reported', async (lab) => {
    const reported: string[] = [];
    lab.provider.onExit((providerId) => reported.push(providerId));
    const first = expectOk(await lab.provider.create(requestFor(lab, 1)));
    const second = expectOk(await lab.provider.create(requestFor(lab, 2)));
    expectOk(await lab.provider.delete(first.providerId));
    const exit = nextExit(lab.provider);
    lab.kill(second.providerId);
    await exit;
    assert.deepEqual(reported, [second.providerId]);
  });

  check('[PR-36] provider: a notice reaches its listener, with its deadline', async (lab) => {
    if (lab.notify === undefined) return;
    const { providerId } = expectOk(await lab.provider.create(requestFor(lab, 1)));
    const deadlineMs = Date.parse('2026-03-01T12:00:00Z');
    const told = new Promise<readonly unknown[]>((resolve) =>
      lab.provider.onNotice?.((...said) => resolve(said)),
    );
    lab.notify(providerId, 'n-1', deadlineMs);
    assert.deepEqual(await told, [providerId, { id: 'n-1', deadlineMs }]);
    assert.equal(expectOk(await lab.provider.status(providerId)).state, 'running');
  });

  check('[PR-6] provider: another installation sees nothing of ours', async (lab) => {
    expectOk(await lab.provider.create(requestFor(lab, 1)));
    assert.deepEqual(expectOk(await lab.provider.list('elsewhere')).instances, []);
  });

  check('[PR-7] provider: full is a quota failure and room comes with a delete', async (lab) => {
    const indexes = Array.from({ length: LAB_MAX_INSTANCES }, (_, index) => index);
    const made = await Promise.all(
      indexes.map((index) => lab.provider.create(requestFor(lab, index))),
    );
    const refused = await lab.provider.create(requestFor(lab, LAB_MAX_INSTANCES));
    assert.equal(refused.ok ? 'ok' : refused.failure.code, 'quota');
    const [first] = made.map((answer) => expectOk(answer));
    assert.ok(first);
    assert.deepEqual(expectOk(await lab.provider.create(requestFor(lab, 0))), first);
    expectOk(await lab.provider.delete(first.providerId));
    expectOk(await lab.provider.create(requestFor(lab, LAB_MAX_INSTANCES)));
  });

  check('[PR-5] provider: pages of the list leave nothing out and repeat nothing', async (lab) => {
    const indexes = Array.from({ length: LAB_MAX_INSTANCES }, (_, index) => index);
    const made = await Promise.all(
      indexes.map((index) => lab.provider.create(requestFor(lab, index))),
    );
    const ids = made.map((answer) => expectOk(answer).providerId).sort();
    const listed = (await everything(lab.provider)).map(({ providerId }) => providerId);
    assert.deepEqual(listed, ids);
    const after = expectOk(await lab.provider.list(LAB_INSTALLATION, ids[3]));
    assert.deepEqual(
      after.instances.map(({ providerId }) => providerId),
      ids.slice(4),
    );
  });
}

async function everything(provider: Provider): Promise<readonly ProvidedInstance[]> {
  const instances: ProvidedInstance[] = [];
  let page: string | undefined;
  do {
    const read = expectOk(await provider.list(LAB_INSTALLATION, page));
    instances.push(...read.instances);
    page = read.next;
  } while (page !== undefined);
  return instances;
}
