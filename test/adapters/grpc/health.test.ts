/** gRPC's own health service on the control socket. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { clientOf } from '../../../src/adapters/grpc/definition.js';
import { healthService } from '../../../src/adapters/grpc/health-service.js';
import { serveControl } from '../../../src/adapters/grpc/server.js';
import { systemClock } from '../../../src/adapters/system/clock.js';
import { fakeNode } from '../../support/fake-node-api.js';
import { eventually } from '../../support/http-client.js';
import { rememberingLog } from '../../support/quiet.js';

interface Stub {
  Check(
    request: { readonly service: string },
    done: (error: ServiceError | null, answer?: { readonly status: string }) => void,
  ): void;
  Watch(request: { readonly service: string }): NodeJS.EventEmitter & { cancel(): void };
  close(): void;
}

test('[CL-80] says what /readyz says, to those who ask and to those who watch', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'health-'));
  const path = join(folder, 's.sock');
  const { api, script } = fakeNode();
  const health = healthService({ api, clock: systemClock() });
  const served = await serveControl({ path, api, log: rememberingLog(), health });
  assert.ok(served.ok);
  const Client = clientOf('Health');
  const stub = new Client(`unix:${path}`, credentials.createInsecure()) as unknown as Stub;
  const check = (service: string) =>
    new Promise<string>((resolve) => {
      stub.Check({ service }, (error, answer) =>
        resolve(error === null ? (answer?.status ?? '') : (status[error.code] ?? '')),
      );
    });
  const seen: string[] = [];
  const watch = stub.Watch({ service: '' });
  watch.on('data', (answer: { readonly status: string }) => seen.push(answer.status));
  watch.on('error', () => undefined);
  assert.equal(await check(''), 'SERVING');
  await eventually(() => seen.length === 1);
  script.ready = { ready: false, reasons: ['dataplane: not connected yet'] };
  assert.equal(await check('switchyard.v1.Control'), 'NOT_SERVING');
  assert.equal(await check('switchyard.v1.Nix'), 'NOT_FOUND');
  await eventually(() => seen.length === 2);
  assert.deepEqual(seen, ['SERVING', 'NOT_SERVING']);
  watch.cancel();
  stub.close();
  await served.value.close();
  rmSync(folder, { recursive: true });
});
