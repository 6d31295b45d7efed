/** What every lease keeps, whatever stands behind it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease } from '../../src/ports/lease.js';
import { expectOk } from './provider.js';

export interface LeaseLab {
  /** Of one fleet, each over its own connection. */
  readonly leases: readonly [Lease, Lease];
  /** Lets this much of the server's time pass. */
  pass(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

const ONE = { writer: 'one', node: 'edge-1' };
const OTHER = { writer: 'other', node: 'edge-2' };

export function leaseContract(name: string, open: () => Promise<LeaseLab>): void {
  const check = (title: string, body: (lab: LeaseLab) => Promise<void>): void => {
    test(title.replace('lease', name), async () => {
      const lab = await open();
      try {
        await body(lab);
      } finally {
        await lab.dispose();
      }
    });
  };

  check('[LE-1] lease: one has it, the other is told who', async ({ leases: [a, b] }) => {
    expectOk(await a.acquire(ONE));
    const refused = await b.acquire(OTHER);
    assert.equal(refused.ok || refused.failure.code, 'held');
    assert.match(JSON.stringify(refused), /edge-1/);
  });

  check('[LE-1] lease: of two that ask at once one gets it', async ({ leases: [a, b] }) => {
    const answers = await Promise.all([a.acquire(ONE), b.acquire(OTHER)]);
    assert.equal(answers.filter(({ ok }) => ok).length, 1);
  });

  check('[LE-2] lease: renewed it lasts, not renewed it is over', async (lab) => {
    const [a, b] = lab.leases;
    let grant = expectOk(await a.acquire(ONE));
    for (let turn = 0; turn < 3; turn += 1) {
      await lab.pass(a.ttlMs * 0.5);
      grant = expectOk(await a.renew(ONE, grant));
      assert.equal((await b.acquire(OTHER)).ok, false);
    }
    await lab.pass(a.ttlMs * 1.5);
    const taken = expectOk(await b.acquire(OTHER));
    assert.ok(taken.revision > grant.revision);
  });

  check('[LE-3] lease: who lost it is told, and cannot renew or release it', async (lab) => {
    const [a, b] = lab.leases;
    const old = expectOk(await a.acquire(ONE));
    await lab.pass(a.ttlMs * 1.5);
    const lapsed = await a.renew(ONE, old);
    assert.equal(lapsed.ok || lapsed.failure.code, 'lost');
    const taken = expectOk(await b.acquire(OTHER));
    const late = await a.renew(ONE, old);
    assert.equal(late.ok || late.failure.code, 'lost');
    expectOk(await a.release(old));
    expectOk(await b.renew(OTHER, taken));
  });

  check('[LE-2] lease: released it is the next one’s at once', async ({ leases: [a, b] }) => {
    expectOk(await a.release(expectOk(await a.acquire(ONE))));
    expectOk(await b.acquire(OTHER));
  });

  check('[LE-4] lease: an earlier life is nobody else', async ({ leases: [a, b] }) => {
    const first = expectOk(await a.acquire(ONE));
    const second = expectOk(await b.acquire(ONE));
    assert.ok(second.revision > first.revision);
    const late = await a.renew(ONE, first);
    assert.equal(late.ok || late.failure.code, 'lost');
  });
}
