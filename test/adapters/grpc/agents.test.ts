/** The Agent service over a real TLS door: who is let in, who is heard, and what hostile callers get. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { readToken } from '../../../src/adapters/agent-ca/token.js';
import type { CallFailure, IdentityAnswer } from '../../../src/adapters/agent-client/client.js';
import { authorityByPin } from '../../../src/adapters/agent-client/pin.js';
import { type DoorLab, INSTANCE, keyPair, OTHER, openDoorLab } from '../../support/agent-door.js';
import { eventually } from '../../support/http-client.js';

let lab: DoorLab;
before(async () => {
  lab = await openDoorLab();
});
after(() => lab.close());

const register = (token: string, publicKey = keyPair().publicKey) =>
  lab.client().call<IdentityAnswer>('Register', { token, publicKey });

async function refusal(answer: Promise<{ ok: boolean; failure?: CallFailure }>): Promise<string> {
  const { ok, failure } = await answer;
  assert.equal(ok, false);
  return `${failure?.code} ${failure?.message.slice(0, 4)}`;
}

describe('registration', () => {
  test('[ID-1] [ID-5] a token gives one key a certificate, again and again, and no second key one', async () => {
    lab.bound.clear();
    const { publicKey } = keyPair();
    const token = lab.token();
    const first = await register(token, publicKey);
    assert.ok(first.ok);
    assert.deepEqual(
      [first.value.instance, first.value.tenant, first.value.group],
      [INSTANCE, 'acme', 'web'],
    );
    assert.ok((await register(token, publicKey)).ok, 'its answer may have been lost');
    assert.equal(await refusal(register(token)), 'PERMISSION_DENIED ID-5');
    assert.deepEqual(lab.told('agent.registered').length, 2);
  });

  test('[ID-1] tokens that are forged, expired, of nobody or none at all', async () => {
    const good = lab.token();
    const cases: readonly (readonly [string, string])[] = [
      ['', 'INVALID_ARGUMENT ID-1'],
      ['x'.repeat(10_000), 'INVALID_ARGUMENT ID-1'],
      [`${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`, 'UNAUTHENTICATED ID-1'],
      [lab.token(INSTANCE, -1), 'UNAUTHENTICATED ID-1'],
      [lab.token(OTHER), 'NOT_FOUND ther'],
    ];
    for (const [token, expected] of cases) assert.equal(await refusal(register(token)), expected);
  });

  test('[ID-1] the token of an earlier instance of the same name is worth nothing', async () => {
    lab.show(OTHER, { token: 't-another' });
    assert.equal(await refusal(register(lab.token(OTHER))), 'UNAUTHENTICATED ID-1');
  });

  test('[ID-6] nobody registers for an instance that is over', async () => {
    for (const state of ['drained', 'lost', 'deleting', 'deleted', 'failed']) {
      lab.show(OTHER, { state });
      assert.equal(await refusal(register(lab.token(OTHER))), 'FAILED_PRECONDITION ID-6', state);
    }
  });

  test('[ID-4] a key that is none binds nothing', async () => {
    lab.bound.clear();
    assert.equal(
      await refusal(register(lab.token(), Buffer.from('no key'))),
      'INVALID_ARGUMENT ID-4',
    );
    assert.equal(lab.bound.size, 0);
  });

  test('[ID-15] even a genuine token is tried at a bounded rate', async () => {
    lab.show(OTHER);
    const answers = await Promise.all(Array.from({ length: 15 }, () => register(lab.token(OTHER))));
    const codes = answers.map((answer) => (answer.ok ? 'ok' : answer.failure.code));
    assert.ok(codes.filter((code) => code === 'RESOURCE_EXHAUSTED').length >= 4, codes.join(' '));
    assert.equal(codes.filter((code) => code === 'ok').length, 1);
  });
});

describe('identity', () => {
  test('[ID-16] without an agent’s certificate nothing but Register is answered', async () => {
    const stranger = lab.client();
    for (const call of ['Renew', 'AcknowledgeDrained']) {
      assert.equal(await refusal(stranger.call(call, {})), 'UNAUTHENTICATED ID-1', call);
    }
    const ended = await new Promise<CallFailure | undefined>((end) => void stranger.report(end));
    assert.equal(ended?.code, 'UNAUTHENTICATED');
  });

  test('[ID-2] a certificate of another authority is nobody’s', async () => {
    const elsewhere = await openDoorLab();
    const { identity, key } = await elsewhere.enrol();
    await elsewhere.close();
    const stranger = lab.client({ certificate: identity.certificate, key });
    assert.equal(await refusal(stranger.call('Renew', {})), 'UNAUTHENTICATED ID-1');
  });

  test('[ID-6] renewed while its key is the bound one; revoked, it is heard no more', async () => {
    lab.bound.clear();
    const { client, identity } = await lab.enrol();
    const renewed = await client.call<IdentityAnswer>('Renew', {});
    assert.ok(renewed.ok);
    assert.notEqual(renewed.value.certificate, identity.certificate);
    assert.ok(renewed.value.renewAtMs < renewed.value.notAfterMs);
    lab.bound.set(INSTANCE, 'another key');
    assert.equal(await refusal(client.call('Renew', {})), 'PERMISSION_DENIED ID-6');
    assert.equal(await refusal(client.call('AcknowledgeDrained', {})), 'PERMISSION_DENIED ID-6');
  });

  test('[ID-12] a stream ends with the certificate it began with', async () => {
    const brief = await openDoorLab({ lifetimeMs: 1_500 });
    const { client } = await brief.enrol();
    const ended = await new Promise<CallFailure | undefined>((end) => {
      client.report(end).send({ boot: 1, seq: 1, healthy: true });
    });
    assert.match(ended?.message ?? '', /^ID-12: the certificate has expired/);
    await brief.close();
  });

  test('[ID-30] the daemon is found by the pin in the token, and another one is not', async () => {
    const pin = readToken(lab.token())?.pin ?? '';
    const found = await authorityByPin(lab.address, pin);
    assert.ok(found.ok && found.value.trim() === lab.authority.certificate.trim());
    assert.equal((await authorityByPin(lab.address, 'x'.repeat(43))).ok, false);
  });
});

describe('reports', () => {
  test('[ID-10] [ID-14] are told on in order, once; the end of the stream is a disconnect', async () => {
    lab.bound.clear();
    const { client } = await lab.enrol();
    const before = lab.told('agent.reported').length;
    const ended = new Promise<CallFailure | undefined>((end) => {
      const pipe = client.report(end);
      for (const seq of [1, 2, 2, 1, 3]) {
        pipe.send({
          boot: 7,
          seq,
          healthy: seq !== 3,
          detail: 'd'.repeat(5_000),
          metrics: { load: 0.5 },
        });
      }
      pipe.end();
    });
    assert.equal(await ended, undefined);
    const told = lab.told('agent.reported').slice(before) as unknown as {
      report: { seq: number; detail: string };
    }[];
    assert.deepEqual(
      told.map(({ report }) => report.seq),
      [1, 2, 3],
    );
    assert.equal(told[0]?.report.detail.length, 1_024);
    assert.deepEqual(lab.told('agent.closed').at(-1), { type: 'agent.closed', boot: 7 });
  });

  test('[ID-10] [ID-11] a newer start takes the older one’s place; the older is refused', async () => {
    lab.bound.clear();
    const { client } = await lab.enrol();
    const closedBefore = lab.told('agent.closed').length;
    const open = (boot: number) => {
      let end: (failure: CallFailure | undefined) => void = () => undefined;
      const ended = new Promise<CallFailure | undefined>((resolve) => {
        end = resolve;
      });
      const pipe = client.report(end);
      pipe.send({ boot, seq: 1, healthy: true });
      return { pipe, ended };
    };
    const reported = () => lab.told('agent.reported').length;
    const before = reported();
    const older = open(10);
    await eventually(() => reported() === before + 1);
    const newer = open(11);
    assert.equal((await older.ended)?.code, 'ABORTED');
    const ghost = open(9);
    assert.match((await ghost.ended)?.message ?? '', /^ID-11: /);
    assert.equal(
      lab.told('agent.closed').length,
      closedBefore,
      'the one that is heard is still there',
    );
    newer.pipe.end();
    await newer.ended;
    assert.equal(lab.told('agent.closed').length, closedBefore + 1);
  });

  test('[ID-13] too many, too fast, too large or no report at all ends the stream', async () => {
    lab.bound.clear();
    const { client } = await lab.enrol();
    const ending = (reports: readonly object[]) =>
      new Promise<CallFailure | undefined>((end) => {
        const pipe = client.report(end);
        for (const report of reports) pipe.send(report);
      });
    const report = (seq: number, more: object = {}) => ({ boot: 1, seq, healthy: true, ...more });
    const flood = Array.from({ length: 100 }, (_, seq) => report(seq));
    assert.equal((await ending(flood))?.code, 'RESOURCE_EXHAUSTED');
    const names = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`m${n}`, n]));
    const bad = [
      report(1, { metrics: names }),
      report(1, { metrics: { x: Number.NaN } }),
      report(1, { metrics: { ['x'.repeat(200)]: 1 } }),
      report(1, { terminationNotice: { id: '' } }),
      report(1, { boot: '18446744073709551615' }),
    ];
    for (const one of bad) assert.equal((await ending([one]))?.code, 'INVALID_ARGUMENT');
    const large = await ending([report(1, { detail: 'x'.repeat(70_000) })]);
    assert.notEqual(large, undefined);
    assert.equal(
      lab.told('agent.reported').some((told) => JSON.stringify(told).length > 4_000),
      false,
    );
  });

  test('[ID-13] of one identity only so many streams are open', async () => {
    lab.bound.clear();
    const { client } = await lab.enrol();
    const ends = [1, 2, 3].map(
      (boot) =>
        new Promise<CallFailure | undefined>((end) => {
          client.report(end).send({ boot, seq: 1, healthy: true });
        }),
    );
    const first = await Promise.race(ends);
    assert.ok(['RESOURCE_EXHAUSTED', 'ABORTED'].includes(first?.code ?? ''), first?.code);
  });
});

describe('a hostile peer', () => {
  test('[ID-18] gets no answer without TLS 1.3, and stalls nobody', async () => {
    const plain = connectTcp(lab.address);
    plain.write('GET / HTTP/1.1\r\n\r\n');
    plain.on('error', () => undefined);
    await once(plain, 'close');
    const old = connectTls({ ...lab.address, maxVersion: 'TLSv1.2', rejectUnauthorized: false });
    const [error] = (await once(old, 'error')) as [Error];
    assert.match(error.message, /protocol version|alert/i);
    lab.bound.clear();
    assert.ok((await register(lab.token())).ok);
  });
});
