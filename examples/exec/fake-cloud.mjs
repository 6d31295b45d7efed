#!/usr/bin/env node
// An exec provider for a cloud with an HTTP API; docs/EXEC-PROVIDER.md is the contract it keeps. One run is
// one call: the verb is the last argument, the request is JSON on stdin, the answer JSON on stdout.
//
//   providers:
//     cloud:
//       driver: exec
//       command: [exec/fake-cloud.mjs]
//       passEnvironment: [FAKE_CLOUD_URL, FAKE_CLOUD_TOKEN]
//
// What decides whether such a program is safe:
//   - create hands our token to the cloud as its own client token: twice the same is one server;
//   - "quota", "permanent" and "not-found" are said only when the cloud said so, never on a time-out;
//   - whatever is not understood ends with a status other than 0, 3, 4, 5 and 6: "I do not know".
import { argv, env, exit, stderr, stdin, stdout } from 'node:process';

const EXIT = { notFound: 3, quota: 5, permanent: 6, unavailable: 75 };
const { FAKE_CLOUD_URL = 'http://127.0.0.1:7090', FAKE_CLOUD_TOKEN = 'sesame' } = env;

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(method, path, body) {
  const response = await fetch(`${FAKE_CLOUD_URL}/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${FAKE_CLOUD_TOKEN}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(Number(env.SWITCHYARD_TIMEOUT_MS ?? 60_000) * 0.9),
  });
  const text = await response.text();
  const answer = text === '' ? {} : JSON.parse(text);
  if (response.ok) return answer;
  throw new Refusal(exitOf(response.status), `${response.status}: ${answer.message ?? 'refused'}`);
}

function exitOf(status) {
  if (status === 404) return EXIT.notFound;
  if (status === 429) return EXIT.quota;
  if (status === 400 || status === 401 || status === 403) return EXIT.permanent;
  return EXIT.unavailable;
}

/** The cloud's server as an instance; the tags are its labels. */
function instanceOf({ id, clientToken, address, status, labels, leaves }) {
  const state = status === 'running' ? 'running' : 'terminal';
  const tags = { ...labels, epoch: Number(labels.epoch) };
  // The cloud has told that the server's host goes, and perhaps when.
  const notice = leaves === undefined ? {} : { notice: leaves };
  return { providerId: id, token: clientToken, address, state, tags, ...notice };
}

const VERBS = {
  async create({ token, tags }) {
    const labels = Object.fromEntries(
      Object.entries(tags).map(([key, value]) => [key, `${value}`]),
    );
    return { instance: instanceOf(await ask('POST', 'servers', { clientToken: token, labels })) };
  },
  async delete({ providerId }) {
    await ask('DELETE', `servers/${encodeURIComponent(providerId)}`);
    return {};
  },
  async status({ providerId }) {
    return { instance: instanceOf(await ask('GET', `servers/${encodeURIComponent(providerId)}`)) };
  },
  async list({ installation, page = '' }) {
    const query = new URLSearchParams({ installation, after: page });
    const { servers, next } = await ask('GET', `servers?${query}`);
    return { instances: servers.map(instanceOf), next };
  },
  async find({ token }) {
    const { servers } = await ask('GET', `servers?${new URLSearchParams({ clientToken: token })}`);
    return { instance: servers.length === 0 ? null : instanceOf(servers[0]) };
  },
};

try {
  let text = '';
  for await (const chunk of stdin.setEncoding('utf8')) text += chunk;
  const verb = VERBS[argv.at(-1)];
  if (verb === undefined) throw new Refusal(EXIT.permanent, `unknown verb ${argv.at(-1)}`);
  stdout.write(`${JSON.stringify(await verb(JSON.parse(text)))}\n`);
} catch (error) {
  const why = error.cause?.message ?? error.message;
  stderr.write(`${why}\n`);
  exit(error instanceof Refusal ? error.status : EXIT.unavailable);
}
