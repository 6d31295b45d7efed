/** Leases keep the contract: the one in memory by hand, the one in NATS by the server's clock. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openNatsLease } from '../../../src/adapters/nats/lease.js';
import type { Lease } from '../../../src/ports/lease.js';
import { leaseContract } from '../../contract/lease.js';
import { expectOk } from '../../contract/provider.js';
import { leaseServer } from '../../support/memory-lease.js';
import { type NatsServer, startNatsServer } from '../../support/nats-server.js';

leaseContract('memory lease', async () => {
  let atMs = 0;
  const fleet = leaseServer(10_000, () => atMs);
  return {
    leases: [fleet.connect(), fleet.connect()],
    pass: async (ms) => {
      atMs += ms;
    },
    dispose: async () => undefined,
  };
});

const TTL_MS = 1_000;
let server: NatsServer;
let buckets = 0;

before(async () => {
  server = await startNatsServer();
});

after(() => server.close());

function leaseOn(bucket: string, ttlMs = TTL_MS, at = server): Lease {
  return openNatsLease({ servers: [at.url], name: 'test', bucket, replicas: 1, ttlMs });
}

leaseContract('nats lease', async () => {
  buckets += 1;
  const bucket = `LEASE${buckets}`;
  const leases = [leaseOn(bucket), leaseOn(bucket)] as const;
  return {
    leases,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    dispose: async () => {
      await Promise.all(leases.map((lease) => lease.close()));
    },
  };
});

test('[LE-5] nats lease: a bucket of another time to live is refused by name', async () => {
  const right = leaseOn('OTHER', 1_000);
  expectOk(await right.acquire({ writer: 'one', node: 'edge-1' }));
  const wrong = leaseOn('OTHER', 2_000);
  assert.match(JSON.stringify(await wrong.acquire({ writer: 'two', node: 'edge-2' })), /1000 ms/);
  await Promise.all([right.close(), wrong.close()]);
});

test('[LE-5] nats lease: a server that is away says nothing about who has it', async () => {
  const own = await startNatsServer();
  const lease = leaseOn('AWAY', TTL_MS, own);
  const grant = expectOk(await lease.acquire({ writer: 'one', node: 'edge-1' }));
  await own.kill();
  const answer = await lease.renew({ writer: 'one', node: 'edge-1' }, grant);
  assert.equal(answer.ok || answer.failure.code, 'unavailable');
  await lease.close();
  await own.close();
});
