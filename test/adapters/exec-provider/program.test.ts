/** What an operator's program may do wrong, and what is made of it: one sentence, and never more than is known. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ExecProviderOptions } from '../../../src/adapters/exec-provider/provider.js';
import { openExecProvider } from '../../../src/adapters/exec-provider/provider.js';
import { identify } from '../../../src/adapters/proc/processes.js';
import {
  expectOk,
  nextExit,
  type ProviderLab,
  requestFor,
  tokenOf,
} from '../../contract/provider.js';
import { execOptions, openExecLab } from '../../support/exec-lab.js';
import { templateOf } from '../../support/process-lab.js';
import { repoPath } from '../../support/root.js';

const LAB = { template: templateOf({}) } as ProviderLab;

function shell(script: string, changes: Partial<ExecProviderOptions> = {}) {
  return expectOk(openExecProvider(execOptions({ command: ['sh', '-c', script], ...changes })));
}

const cases: readonly {
  readonly rule: string;
  readonly name: string;
  readonly script: string;
  readonly code: string;
  readonly says: RegExp;
}[] = [
  {
    rule: 'PR-30',
    name: 'no answer at all',
    script: 'cat > /dev/null',
    code: 'unavailable',
    says: /^exec provider "lab": find answered nothing$/,
  },
  {
    rule: 'PR-30',
    name: 'words instead of JSON',
    script: 'printf "Server created!\\n\\033[0mid 7\\n"',
    code: 'unavailable',
    says: /find answered no JSON but "Server created! \[0mid 7"$/,
  },
  {
    rule: 'PR-30',
    name: 'JSON of another shape',
    script: `echo '{"instance":{"providerId":7}}'`,
    code: 'unavailable',
    says: /find answered what was not asked for: instance\.providerId: .+ \(and \d more\)$/,
  },
  {
    rule: 'PR-30',
    name: 'an answer without the instance',
    script: `echo '{}'`,
    code: 'unavailable',
    says: /find answered what was not asked for: instance: /,
  },
  {
    rule: 'PR-31',
    name: 'exit 5 is a quota',
    script: 'echo one >&2; echo "no room in zone a" >&2; exit 5',
    code: 'quota',
    says: /find ended with 5: no room in zone a$/,
  },
  { rule: 'PR-31', name: 'exit 3', script: 'exit 3', code: 'not-found', says: /ended with 3$/ },
  { rule: 'PR-31', name: 'exit 6', script: 'exit 6', code: 'permanent', says: /ended with 6$/ },
  { rule: 'PR-31', name: 'exit 1', script: 'exit 1', code: 'unavailable', says: /ended with 1$/ },
  {
    rule: 'PR-31',
    name: 'an error in words of the protocol',
    script: `echo '{"error":{"code":"permanent","message":"image debian-9 is gone"}}'; exit 1`,
    code: 'permanent',
    says: /find: image debian-9 is gone$/,
  },
  {
    rule: 'PR-31',
    name: 'an error of an unknown code',
    script: `echo '{"error":{"code":"gone","message":"x"}}'; exit 5`,
    code: 'quota',
    says: /ended with 5$/,
  },
  {
    rule: 'PR-31',
    name: 'a signal',
    script: 'kill -9 $$',
    code: 'unavailable',
    says: /was ended by SIGKILL$/,
  },
];

for (const { rule, name, script, code, says } of cases) {
  test(`[${rule}] exec provider: ${name} is ${code}`, async () => {
    const provider = shell(script);
    const answer = await provider.findByToken(tokenOf(1));
    await provider.close();
    assert.equal(answer.ok ? 'ok' : answer.failure.code, code);
    assert.match(answer.ok ? '' : answer.failure.message, says);
  });
}

test('[PR-31] exec provider: a program that is not there has made nothing, for sure', async () => {
  for (const [command, says] of [
    [['./no-such-program'], /there is no such program/],
    [[repoPath('package.json')], /chmod \+x/],
  ] as const) {
    const provider = expectOk(openExecProvider(execOptions({ command })));
    const answer = await provider.findByToken(tokenOf(1));
    assert.equal(answer.ok ? 'ok' : answer.failure.code, 'permanent');
    assert.match(answer.ok ? '' : answer.failure.message, says);
  }
});

test('[PR-34] exec provider: what takes too long is ended with all it started, and nothing is known', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-exec-'));
  const script = `sleep 600 & echo $! > ${dir}/pid; wait`;
  const provider = shell(script, { timeoutMs: 300 });
  const answer = await provider.findByToken(tokenOf(1));
  assert.equal(answer.ok ? 'ok' : answer.failure.code, 'unavailable');
  assert.match(answer.ok ? '' : answer.failure.message, /took longer than its timeout/);
  const pid = Number(await readFile(join(dir, 'pid'), 'utf8'));
  while (identify(pid) !== undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  await provider.close();
  await rm(dir, { recursive: true });
});

test('[PR-34] exec provider: what prints without end is ended', async () => {
  const provider = shell('yes');
  const answer = await provider.findByToken(tokenOf(1));
  assert.match(answer.ok ? '' : answer.failure.message, /printed more than a program may/);
});

test('[PR-34] exec provider: who left the pipe to another is not waited for', async () => {
  const provider = shell(`sleep 20 & echo '{"instance":null}'`);
  assert.equal(expectOk(await provider.findByToken(tokenOf(1))), undefined);
});

test('[PR-34] exec provider: closing ends what runs, and starts nothing more', async () => {
  const provider = shell('sleep 600');
  const asked = provider.findByToken(tokenOf(1));
  await provider.close();
  const answers = [await asked, await provider.findByToken(tokenOf(2))];
  for (const answer of answers) assert.equal(answer.ok ? 'ok' : answer.failure.code, 'unavailable');
});

test('[PR-33] exec provider: the program sees what is documented, and secrets only by name', async () => {
  const script = `printf '{"error":{"code":"quota","message":"%s"}}' "$(env | cut -d= -f1 | sort | tr '\\n' ' ')"`;
  const environment = { ...process.env, CLOUD_SECRET: 'one', OTHER_SECRET: 'two' };
  const provider = shell(script, { environment, passEnvironment: ['CLOUD_SECRET'] });
  const answer = await provider.findByToken(tokenOf(1));
  const names = answer.ok ? [] : answer.failure.message.split(/[ :]+/);
  for (const name of ['CLOUD_SECRET', 'PATH', 'SWITCHYARD_PROVIDER', 'SWITCHYARD_TIMEOUT_MS']) {
    assert.ok(names.includes(name), name);
  }
  assert.ok(!names.includes('OTHER_SECRET'));
  const missing = openExecProvider(execOptions({ environment: {}, passEnvironment: ['GONE'] }));
  assert.match(missing.ok ? '' : missing.failure.message, /is to pass on GONE, which/);
});

test('[PR-30] exec provider: the request is one JSON object, the verb the last argument', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-exec-'));
  const script = `cat > ${dir}/$0; echo '{"instances":[]}'; [ $0 = list ] || exit 6`;
  const provider = shell(script);
  const made = await provider.create(requestFor(LAB, 1));
  assert.equal(made.ok ? 'ok' : made.failure.code, 'permanent');
  const request = JSON.parse(await readFile(join(dir, 'create'), 'utf8'));
  const { token, tags, port } = requestFor(LAB, 1);
  const template = { name: 'lab', spec: {}, vars: {} };
  const known = { version: 1, verb: 'create', provider: 'lab', installation: 'here' };
  assert.deepEqual(request, { ...known, token, tags, port, template });
  await rm(dir, { recursive: true });
});

test('[PR-32] exec provider: gone is not found in a row; missing from a list alone is not', async () => {
  const lab = await openExecLab();
  try {
    const made = expectOk(await lab.provider.create(requestFor(lab, 1)));
    const other = expectOk(await lab.provider.create(requestFor(lab, 2)));
    const reported: string[] = [];
    lab.provider.onExit((providerId) => reported.push(providerId));
    const server = lab.cloud.servers.get(made.providerId);
    assert.ok(server);
    // One poll sees it missing, and its status too; then it is back.
    lab.cloud.servers.delete(made.providerId);
    await new Promise((resolve) => setTimeout(resolve, 160));
    lab.cloud.servers.set(made.providerId, server);
    lab.cloud.faults.push({ method: 'GET', times: 3, status: 503 });
    const exit = nextExit(lab.provider);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    lab.cloud.servers.delete(other.providerId);
    assert.equal(await exit, other.providerId);
    assert.deepEqual(reported, [other.providerId]);
  } finally {
    await lab.dispose();
  }
});

test('[PR-6] exec provider: what another installation tagged is refused', async () => {
  const lab = await openExecLab();
  try {
    const made = expectOk(await lab.provider.create(requestFor(lab, 1)));
    const stranger = await lab.restart({ installation: 'elsewhere' });
    const answers = [
      await stranger.status(made.providerId),
      await stranger.findByToken(tokenOf(1)),
    ];
    for (const answer of answers) assert.equal(answer.ok ? 'ok' : answer.failure.code, 'permanent');
  } finally {
    await lab.dispose();
  }
});

test('[PR-1] exec provider: hosts that are lent keep the rules of a provider', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-hosts-'));
  const file = join(dir, 'hosts.json');
  await writeFile(file, JSON.stringify({ hosts: ['10.0.0.1', '10.0.0.2'] }));
  const command = [process.execPath, repoPath('examples', 'exec', 'hosts.mjs'), file];
  const provider = expectOk(openExecProvider(execOptions({ command, maxInstances: 10 })));
  const asked = await Promise.all([1, 1, 2, 3].map((i) => provider.create(requestFor(LAB, i))));
  const made = asked.flatMap((answer) => (answer.ok ? [answer.value.address] : []));
  assert.equal(new Set(made).size, 2);
  const refused = asked.flatMap((answer) => (answer.ok ? [] : [answer.failure.code]));
  assert.deepEqual(refused, ['quota']);
  expectOk(await provider.delete('10.0.0.1'));
  assert.equal(expectOk(await provider.create(requestFor(LAB, 4))).address, '10.0.0.1');
  await provider.close();
  await rm(dir, { recursive: true });
});
