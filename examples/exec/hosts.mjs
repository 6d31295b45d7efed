#!/usr/bin/env node
// An exec provider for machines that are already there: it lends the hosts of a list. Nothing is started;
// a host that is lent is an instance, and giving it back is its deletion. For bare metal, or for servers
// that another team looks after.
//
//   providers:
//     metal: { driver: exec, command: [exec/hosts.mjs, /etc/switchyard/hosts.json], concurrency: 1 }
//
// The list is {"hosts": ["10.0.0.21", "10.0.0.22"]}. A host that is to leave is written {"address": "10.0.0.22",
// "leaves": "2026-03-01T12:00:00Z"}: it is lent no more, and whoever has it is told. Who has what is kept beside
// the list, in FILE.lent. The lock is a folder: creating one either works or does not. Written for concurrency: 1, and safe without it.
import { mkdirSync, readFileSync, renameSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { argv, exit, stderr, stdin, stdout } from 'node:process';

const EXIT = { notFound: 3, quota: 5, permanent: 6, unavailable: 75 };
const LOCK_STALE_MS = 60_000;
const [file, verb] = argv.slice(2);
const lentFile = `${file}.lent`;
const lock = `${file}.lock`;

function refuse(status, message) {
  stderr.write(`${message}\n`);
  exit(status);
}

function read(path, missing) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' && missing !== undefined) return missing;
    throw error;
  }
}

/** Whole or not at all: a crash leaves the old file. */
function write(path, value) {
  writeFileSync(`${path}.new`, JSON.stringify(value));
  renameSync(`${path}.new`, path);
}

async function withLock(work) {
  for (let tries = 0; ; tries += 1) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST' || tries > 500) throw error;
      const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (Date.now() - since > LOCK_STALE_MS) rmdirSync(lock);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  try {
    return work();
  } finally {
    rmdirSync(lock);
  }
}

/** Of every host that is to leave: when. */
function leaving() {
  const marked = read(file).hosts.filter((host) => host.leaves !== undefined);
  return Object.fromEntries(marked.map(({ address, leaves }) => [address, leaves]));
}

function withNotice(instance) {
  const deadline = leaving()[instance.address];
  if (deadline === undefined) return instance;
  return { ...instance, notice: { id: `leaves ${deadline}`, deadline } };
}

const VERBS = {
  create({ token, tags }) {
    const lent = read(lentFile, {});
    const mine = Object.values(lent).find((instance) => instance.token === token);
    if (mine !== undefined) return { instance: mine };
    const stay = read(file).hosts.filter((host) => host.leaves === undefined);
    const address = stay.map((host) => host.address ?? host).find((host) => !lent[host]);
    if (address === undefined) return { error: { code: 'quota', message: 'every host is lent' } };
    const instance = { providerId: address, token, address, state: 'running', tags };
    write(lentFile, { ...lent, [address]: instance });
    return { instance };
  },
  delete({ providerId }) {
    const { [providerId]: _given, ...rest } = read(lentFile, {});
    write(lentFile, rest);
    return {};
  },
  status({ providerId }) {
    const instance = read(lentFile, {})[providerId];
    if (instance !== undefined) return { instance: withNotice(instance) };
    return { error: { code: 'not-found', message: `${providerId} is not lent` } };
  },
  list({ installation, page = '' }) {
    const instances = Object.values(read(lentFile, {}))
      .filter(({ tags, providerId }) => tags.installation === installation && providerId > page)
      .sort((a, b) => (a.providerId < b.providerId ? -1 : 1))
      .map(withNotice);
    return { instances };
  },
  find({ token }) {
    const found = Object.values(read(lentFile, {})).find((instance) => instance.token === token);
    return { instance: found ?? null };
  },
};

try {
  let text = '';
  for await (const chunk of stdin.setEncoding('utf8')) text += chunk;
  if (VERBS[verb] === undefined) refuse(EXIT.permanent, `usage: hosts.mjs FILE VERB`);
  const answer = await withLock(() => VERBS[verb](JSON.parse(text)));
  stdout.write(`${JSON.stringify(answer)}\n`);
} catch (error) {
  refuse(EXIT.unavailable, error.message);
}
