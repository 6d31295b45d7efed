/** The door for agents as the node opens it: which certificate is shown to whom, and how they change. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { groupKeyOf, instanceIdFor } from '../../machines/model/ids.js';
import { AGENT_SERVER_NAME } from '../../src/adapters/agent-ca/authority.js';
import { makeCertificate, pemOf } from '../../src/adapters/agent-ca/certificate.js';
import { createDrainBoard } from '../../src/adapters/grpc/drain-board.js';
import { createAgentDoor } from '../../src/app/agent-door.js';
import type { Parts } from '../../src/app/parts.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { loadText } from '../support/config.js';
import { fakeNode } from '../support/fake-node-api.js';
import { eventually } from '../support/http-client.js';
import { rememberingLog } from '../support/quiet.js';

const dir = mkdtempSync(join(tmpdir(), 'agent-door-'));
after(() => rmSync(dir, { recursive: true }));
const HOUR_MS = 3_600_000;
const INSTANCE = instanceIdFor(groupKeyOf('acme', 'web'), '00ab00ab00ab', 0);

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const issuer = { name: 'Site', publicKey: pair.publicKey, privateKey: pair.privateKey };

function certify(name: string, nowMs: number): { cert: string; key: string } {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const times = { notBeforeMs: nowMs - HOUR_MS, notAfterMs: nowMs + 1_000 * HOUR_MS };
  const request = {
    subject: name,
    publicKey: own.publicKey,
    use: 'server',
    dnsNames: [name],
    ...times,
  } as const;
  return {
    cert: pemOf(makeCertificate(request, issuer)),
    key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function subjectShown(address: string, servername: string): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve, reject) => {
    const options = { host, port: Number(port), servername, rejectUnauthorized: false };
    const socket = connect({ ...options, ALPNProtocols: ['h2'] });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const { subject, serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      resolve(servername === AGENT_SERVER_NAME ? serialNumber : String(subject.CN));
    });
  });
}

const doors: { close(): Promise<void> }[] = [];
after(async () => {
  for (const door of doors) await door.close();
});

async function opened(tls: string) {
  const clock = createVirtualClock();
  const log = rememberingLog();
  const text = `node: { dataDir: ${join(dir, 'data')} }\napi: { listen: "127.0.0.1:0"${tls} }\n`;
  const loaded = loadText(text);
  assert.ok(loaded.ok);
  const door = createAgentDoor(loaded.value.config as never, { clock, log } as unknown as Parts);
  assert.equal(door.enrol({ token: 't-1', instance: INSTANCE }), undefined);
  assert.ok((await door.prepare('inst-1')).ok);
  const { api } = fakeNode();
  const open = await door.open(api, createDrainBoard({ api, clock }));
  assert.ok(open.ok && open.value !== undefined);
  doors.push(open.value);
  return { clock, log, door, ...open.value };
}

test('[ID-1] an instance is told a token and where to call, once the authority is open', async () => {
  const { door, address } = await opened('');
  const enrolment = door.enrol({ token: 't-1', instance: INSTANCE });
  assert.ok(enrolment?.token.startsWith('t-1.i-'));
  assert.equal(enrolment?.server, address);
});

test('[ID-19] files that change are shown from then on; what cannot be used is told and changes nothing', async () => {
  const cert = join(dir, 'site.crt');
  const key = join(dir, 'site.key');
  const put = (written: { cert: string; key: string }): void => {
    writeFileSync(cert, written.cert);
    writeFileSync(key, written.key);
  };
  const startMs = createVirtualClock().now();
  put(certify('first.test', startMs));
  const door = await opened(`, tls: { cert: ${cert}, key: ${key} }`);
  const look = async (): Promise<void> => {
    await door.clock.advance(10_000);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  assert.equal(await subjectShown(door.address, 'first.test'), 'first.test');
  put(certify('second.test', startMs));
  await eventually(async () => {
    await look();
    return (await subjectShown(door.address, 'first.test')) === 'second.test';
  });
  const complaints = () => door.log.lines.filter(({ level }) => level === 'error').length;
  const mixed = { ...certify('third.test', startMs), key: certify('x', startMs).key };
  for (const [index, bad] of [{ cert: 'x', key: 'y' }, mixed].entries()) {
    put(bad);
    await eventually(async () => {
      await look();
      return complaints() === index + 1;
    });
    await look();
    assert.equal(complaints(), index + 1, 'told once');
    assert.equal(await subjectShown(door.address, 'first.test'), 'second.test');
  }
});

test('[ID-19] our own certificate towards agents is made anew in time', async () => {
  const door = await opened('');
  const before = await subjectShown(door.address, AGENT_SERVER_NAME);
  await door.clock.advance(8 * HOUR_MS);
  assert.equal(await subjectShown(door.address, AGENT_SERVER_NAME), before);
  await door.clock.advance(9 * HOUR_MS);
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.notEqual(await subjectShown(door.address, AGENT_SERVER_NAME), before);
});
