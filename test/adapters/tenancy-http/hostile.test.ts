/** The HTTP adapter against servers that answer wrongly, slowly, hugely, elsewhere, or not at all. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  REFUSAL_LENGTH_MAX,
  RESPONSE_BYTES_MAX,
} from '../../../src/adapters/tenancy-http/limits.js';
import { readPage } from '../../../src/adapters/tenancy-http/read-page.js';
import {
  openTenancyHttp,
  type TenancyHttpOptions,
} from '../../../src/adapters/tenancy-http/tenancy-http.js';
import type { TenancyApi } from '../../../src/ports/tenancy-api.js';
import { uuidOf } from '../../support/scripted-tenancy.js';
import { seedOfRun } from '../../support/seed.js';

const TIMEOUT_MS = 10_000;
const PROJECT = { type: 'project', id: uuidOf(1) } as const;

async function withServer(
  listener: RequestListener,
  body: (api: TenancyApi, url: string) => Promise<void>,
  options: Partial<TenancyHttpOptions> = {},
): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const base = { url, controller: 'east & west', userAgent: 'switchyard/test' };
    await body(openTenancyHttp({ ...base, ...options }), url);
  } finally {
    server.closeAllConnections();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

const EMPTY = '{"events":[],"lastEventId":7}';

test('[TE-22] tenancy-http: says exactly what the interface wants', async () => {
  const seen: string[] = [];
  const record: RequestListener = (request, response) => {
    void textOf(request).then((text) => {
      const { accept, authorization } = request.headers;
      const token = request.headers['x-token'];
      seen.push(`${request.method} ${request.url} ${text}`);
      seen.push(`${accept} ${request.headers['user-agent']} ${token} ${authorization}`);
      response.end(EMPTY);
    });
  };
  let token = 'first';
  const secrets = { token: () => token, tokenHeader: 'X-Token', bearer: 'b' };
  await withServer(
    record,
    async (api) => {
      await api.replay(TIMEOUT_MS);
      token = 'second';
      await api.poll(42, 100, TIMEOUT_MS);
      await api.putStatus(PROJECT, 'error', 'no room', TIMEOUT_MS);
      await api.deleteStatus(PROJECT, TIMEOUT_MS);
    },
    secrets,
  );
  const status = `"controller":"east & west","resourceType":"project","resourceId":"${uuidOf(1)}"`;
  const who = (secret: string) => `application/json switchyard/test ${secret} Bearer b`;
  assert.deepEqual(seen, [
    'GET /v1/events?controller=east+%26+west&replay=true ',
    who('first'),
    'GET /v1/events?controller=east+%26+west&after=42&limit=100 ',
    who('second'),
    `PUT /v1/status {${status},"status":"error","message":"no room"}`,
    who('second'),
    `DELETE /v1/status {${status}}`,
    who('second'),
  ]);
});

test('[TE-22] tenancy-http: a base URL with a path keeps it', async () => {
  const seen: (string | undefined)[] = [];
  const listener: RequestListener = (request, response) => {
    seen.push(request.url);
    response.end(EMPTY);
  };
  await withServer(listener, async (_api, url) => {
    for (const base of [`${url}/tenants`, `${url}/tenants/`]) {
      const api = openTenancyHttp({ url: base, controller: 'c', userAgent: 'test' });
      assert.ok((await api.poll(7, 1, TIMEOUT_MS)).ok);
    }
  });
  const path = '/tenants/v1/events?controller=c&after=7&limit=1';
  assert.deepEqual(seen, [path, path]);
});

const ANSWERS: readonly (readonly [status: number, code: string])[] = [
  [201, 'refused'],
  [204, 'refused'],
  [301, 'refused'],
  [400, 'refused'],
  [401, 'unauthorized'],
  [403, 'unauthorized'],
  [404, 'refused'],
  [500, 'unreachable'],
  [503, 'unreachable'],
];

for (const [status, code] of ANSWERS) {
  test(`[TE-22] tenancy-http: ${status} is ${code}, and says so`, async () => {
    const listener: RequestListener = (_request, response) => {
      response
        .writeHead(status, { location: '/v1/elsewhere' })
        .end(status === 204 ? '' : 'why  not');
    };
    await withServer(listener, async (api) => {
      for (const result of [
        await api.replay(TIMEOUT_MS),
        await api.putStatus(PROJECT, 'completed', '', TIMEOUT_MS),
        await api.deleteStatus(PROJECT, TIMEOUT_MS),
      ]) {
        assert.equal(result.ok, false);
        assert.equal(result.ok ? '' : result.failure.code, code);
        const message = result.ok ? '' : result.failure.message;
        assert.match(
          message,
          status === 204 ? /answered with 204$/ : /answered with \d+: why not$/,
        );
      }
    });
  });
}

test('[TE-22] tenancy-http: nobody there, a hung-up line, silence: all unreachable', async () => {
  let gone = '';
  await withServer(
    () => undefined,
    async (api, url) => {
      gone = url;
      const silent = await api.poll(1, 10, 50);
      assert.equal(silent.ok ? '' : silent.failure.code, 'unreachable');
    },
  );
  await withServer(
    (request) => request.socket.destroy(),
    async (api) => {
      const cut = await api.replay(TIMEOUT_MS);
      assert.equal(cut.ok ? '' : cut.failure.code, 'unreachable');
    },
  );
  const api = openTenancyHttp({ url: gone, controller: 'c', userAgent: 'test' });
  const nobody = await api.replay(TIMEOUT_MS);
  assert.match(nobody.ok ? '' : nobody.failure.message, /ECONNREFUSED/);
});

test('[TE-22] tenancy-http: the deadline covers the body too', async () => {
  await withServer(
    (_request, response) => void response.write('{"events":['),
    async (api) => {
      const stuck = await api.replay(100);
      assert.equal(stuck.ok ? '' : stuck.failure.code, 'unreachable');
    },
  );
});

test('[TE-22] tenancy-http: more than is read is malformed', async () => {
  const chunk = Buffer.alloc(1024 * 1024, ' ');
  const listener: RequestListener = (_request, response) => {
    let left = RESPONSE_BYTES_MAX / chunk.length + 2;
    const more = (): void => {
      left -= 1;
      if (left < 0) response.end();
      else if (!response.destroyed) response.write(chunk, more);
    };
    more();
  };
  await withServer(listener, async (api) => {
    const huge = await api.replay(TIMEOUT_MS);
    assert.equal(huge.ok ? '' : huge.failure.code, 'malformed');
  });
});

const EVENT = {
  id: 43,
  eventType: 'created',
  resourceType: 'project',
  resourceId: uuidOf(1),
  resourceName: 'shop',
  orgId: uuidOf(2),
  orgName: 'acme',
  folderId: null,
  createdAt: '2026-01-01T00:00:00Z',
};

const pageText = (events: readonly unknown[], lastEventId: unknown = 50): string =>
  JSON.stringify({ events, lastEventId, more: 'ignored' });

const ASKED = { after: 42, limit: 2 };

test('[TE-20] tenancy-http: an event is read as it is told, without what nobody uses', () => {
  const { folderId: _folder, createdAt: _at, ...known } = EVENT;
  const read = readPage(pageText([EVENT]), ASKED);
  assert.deepEqual(read, { ok: true, value: { events: [known], lastEventId: 50 } });
  const org = { ...EVENT, resourceType: 'org', orgId: null, orgName: null };
  const plain = readPage(pageText([org]));
  assert.ok(plain.ok && !('orgId' in (plain.value.events[0] ?? {})));
});

const WRONG: readonly (readonly [what: string, text: string])[] = [
  ['no JSON', 'tenants'],
  ['a list', '[]'],
  ['null', 'null'],
  ['no events', '{"lastEventId":1}'],
  ['no last id', '{"events":[]}'],
  ['a negative last id', pageText([], -1)],
  ['a last id in quotes', pageText([], '7')],
  ['an unsafe last id', '{"events":[],"lastEventId":9007199254740993}'],
  ['an event that is none', pageText([7])],
  ['an id with a fraction', pageText([{ ...EVENT, id: 43.5 }])],
  ['an unknown kind of event', pageText([{ ...EVENT, eventType: 'renamed' }])],
  ['an unknown kind of resource', pageText([{ ...EVENT, resourceType: 'folder' }])],
  ['no uuid', pageText([{ ...EVENT, resourceId: '../../etc' }])],
  ['an empty name', pageText([{ ...EVENT, resourceName: '' }])],
  ['a name that is too long', pageText([{ ...EVENT, resourceName: 'x'.repeat(254) }])],
  ['an org without a uuid', pageText([{ ...EVENT, orgId: 'acme' }])],
  ['an org whose name is a number', pageText([{ ...EVENT, orgName: 7 }])],
];

for (const [what, text] of WRONG) {
  test(`[TE-20] tenancy-http: ${what} refuses the whole answer`, async () => {
    assert.equal(readPage(text).ok, false);
    await withServer(
      (_request, response) => void response.end(text),
      async (api) => {
        const read = await api.replay(TIMEOUT_MS);
        assert.equal(read.ok ? '' : read.failure.code, 'malformed');
      },
    );
  });
}

const OUT_OF_ORDER: readonly (readonly [what: string, ids: readonly number[]])[] = [
  ['at the cursor', [42]],
  ['before the cursor', [1]],
  ['twice', [43, 43]],
  ['backwards', [44, 43]],
  ['more than asked for', [43, 44, 45]],
];

for (const [what, ids] of OUT_OF_ORDER) {
  test(`[TE-21] tenancy-http: events ${what} are refused in a poll, not in a replay`, () => {
    const text = pageText(ids.map((id) => ({ ...EVENT, id })));
    assert.equal(readPage(text, ASKED).ok, false);
    assert.equal(readPage(text).ok, true);
  });
}

test('[TE-20] tenancy-http: whatever is answered, reading it is a value', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.equal(typeof readPage(text, ASKED).ok, 'boolean');
    }),
    { seed: seedOfRun() },
  );
});

test('[TE-44] tenancy-http: no failure quotes a secret, whoever would', async () => {
  const echo: RequestListener = (request, response) => {
    response.statusCode = 403;
    response.end(
      `${'.'.repeat(150)} ${request.headers['x-token']} ${request.headers.authorization}`,
    );
  };
  const secrets = { token: 'canary-token', tokenHeader: 'X-Token', bearer: 'canary-bearer' };
  await withServer(
    echo,
    async (api) => {
      const answer = await api.poll(0, 1, TIMEOUT_MS);
      assert.ok(!answer.ok);
      assert.match(answer.failure.message, /was answered with 403: \.+ \*{3}/);
      assert.doesNotMatch(answer.failure.message, /canary/);
    },
    secrets,
  );
  for (const unsendable of ['canary\nx', 'canary\u0000x', 'canary\rx']) {
    for (const given of [{ token: unsendable }, { bearer: unsendable }]) {
      await withServer(
        echo,
        async (api) => {
          const answer = await api.poll(0, 1, TIMEOUT_MS);
          assert.equal(answer.ok ? '' : answer.failure.code, 'unreachable');
          assert.doesNotMatch(JSON.stringify(answer), /canary/);
        },
        given,
      );
    }
  }
});

test('[TE-45] tenancy-http: what a server says cannot drive a terminal, and is short', async () => {
  const shout: RequestListener = (_, response) => {
    response.statusCode = 400;
    response.end(`no\u001b]0;owned\u0007\u009b31m\u202egnorw ${'x'.repeat(10_000)}`);
  };
  await withServer(shout, async (api) => {
    const answer = await api.poll(0, 1, TIMEOUT_MS);
    assert.ok(!answer.ok);
    assert.match(answer.failure.message, /^GET \/v1\/events was answered with 400: no \]0;owned/);
    assert.doesNotMatch(answer.failure.message, /[\p{Cc}\p{Cf}]/u);
    assert.ok(answer.failure.message.length <= REFUSAL_LENGTH_MAX);
  });
});

test('[TE-22] tenancy-http: too many and too slow are trouble of the moment, other 4xx refusals', async () => {
  const codes: Record<number, string> = {};
  for (const status of [400, 401, 404, 408, 409, 422, 429, 500, 503]) {
    const answer: RequestListener = (_, response) => void response.writeHead(status).end();
    await withServer(answer, async (api) => {
      const reported = await api.putStatus(PROJECT, 'completed', '', TIMEOUT_MS);
      codes[status] = reported.ok ? 'ok' : reported.failure.code;
    });
  }
  const [refused, trouble] = ['refused', 'unreachable'];
  assert.deepEqual(codes, {
    400: refused,
    401: 'unauthorized',
    404: refused,
    408: trouble,
    409: refused,
    422: refused,
    429: trouble,
    500: trouble,
    503: trouble,
  });
});
