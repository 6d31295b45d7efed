/** What a process instance gets, how it is ended, and what cannot be started. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { JsonObject } from '../../../machines/model/json.js';
import { identify, isGroupRunning } from '../../../src/adapters/proc/processes.js';
import { addressAt } from '../../../src/adapters/process-provider/addresses.js';
import {
  ADDRESS_COUNT,
  OUTPUT_BYTES_KEPT,
  OUTPUT_BYTES_MAX,
} from '../../../src/adapters/process-provider/limits.js';
import { expectOk, nextExit, requestFor, tokenOf } from '../../contract/provider.js';
import { eventually } from '../../support/http-client.js';
import { openProcessLab, type ProcessLab, templateOf } from '../../support/process-lab.js';

function check(title: string, body: (lab: ProcessLab) => Promise<void>): void {
  test(title, async () => {
    const lab = await openProcessLab();
    try {
      await body(lab);
    } finally {
      await lab.dispose();
    }
  });
}

async function createWith(lab: ProcessLab, spec: JsonObject, vars = {}) {
  return lab.provider.create({ ...requestFor(lab, 1), template: templateOf(spec, vars) });
}

/** Runs a script to its end; answers with what it printed. */
async function outputOf(lab: ProcessLab, spec: JsonObject, vars = {}): Promise<string> {
  const exit = nextExit(lab.provider);
  const { providerId } = expectOk(await createWith(lab, spec, vars));
  await exit;
  return readFileSync(join(lab.dir, providerId, 'output.log'), 'utf8');
}

check('[PR-8] process: knows itself, its vars and env, and nothing secret', async (lab) => {
  process.env['LAB_SECRET'] = 'hush';
  const spec = { command: ['env'], env: { COLOUR: 'red', WORKERS: 2 } };
  const printed = await outputOf(lab, spec, { COLOUR: 'blue', SIZE: 'small' });
  const { tags } = requestFor(lab, 1);
  const wanted = [
    `SWITCHYARD_TOKEN=${tokenOf(1)}`,
    'SWITCHYARD_PORT=8080',
    `SWITCHYARD_INSTANCE=${tags.instance}`,
    'SWITCHYARD_TENANT=red',
    'SWITCHYARD_GROUP=red/web',
    'COLOUR=red',
    'WORKERS=2',
    'SIZE=small',
    `PATH=${process.env['PATH']}`,
  ];
  const lines = printed.split('\n');
  for (const line of wanted) assert.ok(lines.includes(line), line);
  assert.ok(
    lines.some((line) => /^SWITCHYARD_ADDRESS=127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(line)),
  );
  assert.ok(!printed.includes('hush'));
});

check('[PR-8] process: starts in the config folder', async (lab) => {
  assert.equal(await outputOf(lab, { command: ['pwd'] }), `${lab.dir}\n`);
});

check('[PR-8] process: a relative cwd starts at the config folder', async (lab) => {
  mkdirSync(join(lab.dir, 'site'));
  assert.equal(await outputOf(lab, { command: ['pwd'], cwd: 'site' }), `${lab.dir}/site\n`);
});

check('[PR-4] process: what ignores SIGTERM is killed, with all it started', async (lab) => {
  const script = 'trap "" TERM; sleep 1000 & echo ready; wait; wait; sleep 1000';
  const spec = { command: ['sh', '-c', script], stopGraceMs: 50 };
  const { providerId } = expectOk(await createWith(lab, spec));
  const leader = identify(lab.pidOf(providerId));
  assert.ok(leader);
  while (readFileSync(join(lab.dir, providerId, 'output.log'), 'utf8') === '') {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expectOk(await lab.provider.delete(providerId));
  assert.equal(isGroupRunning(leader), false);
  assert.equal(existsSync(join(lab.dir, providerId)), false);
});

check('[PR-4] process: what its dead leader left behind is ended too', async (lab) => {
  const spec = { command: ['sh', '-c', 'sleep 1000 3>&- & echo $!'] };
  const exit = nextExit(lab.provider);
  const { providerId } = expectOk(await createWith(lab, spec));
  await exit;
  const orphan = Number(readFileSync(join(lab.dir, providerId, 'output.log'), 'utf8'));
  assert.notEqual(identify(orphan), undefined);
  expectOk(await lab.provider.delete(providerId));
  assert.equal(identify(orphan), undefined);
});

const refusals: readonly { name: string; spec: JsonObject; says: RegExp }[] = [
  {
    name: 'an unknown program',
    spec: { command: ['no-such-program'] },
    says: /"no-such-program".*install it or correct/,
  },
  {
    name: 'a file that may not be executed',
    spec: { command: ['./plain'] },
    says: /"\.\/plain" may not be executed.*chmod/,
  },
  {
    name: 'a script without interpreter',
    spec: { command: ['./script'] },
    says: /"\.\/script".*interpreter/,
  },
  {
    name: 'a missing folder',
    spec: { command: ['sleep', '1'], cwd: 'nowhere' },
    says: /create .*nowhere or correct spec\.cwd/,
  },
  { name: 'no command', spec: {}, says: /template "lab".*spec\.command/ },
  {
    name: 'a command line instead of argv',
    spec: { command: 'sleep 1' },
    says: /spec\.command: \[program/,
  },
  { name: 'an unknown key', spec: { command: ['sleep'], comand: [] }, says: /comand/ },
  { name: 'a zero byte', spec: { command: ['sleep', '\0'] }, says: /zero byte/ },
];

for (const { name, spec, says } of refusals) {
  check(`[PR-9] process: ${name} is permanent, said in one sentence`, async (lab) => {
    writeFileSync(join(lab.dir, 'plain'), 'text');
    writeFileSync(join(lab.dir, 'script'), '#!/no/such/interpreter\n', { mode: 0o700 });
    const answer = await createWith(lab, spec);
    assert.ok(!answer.ok);
    assert.equal(answer.failure.code, 'permanent');
    assert.match(answer.failure.message, says);
    const kept = readdirSync(lab.dir).filter((file) => file.startsWith('proc-'));
    assert.deepEqual(kept, [], 'nothing is left of it');
  });
}

check('[PR-2] process: addresses go round, over restarts, past those in use', async (lab) => {
  writeFileSync(join(lab.dir, 'next-address'), String(ADDRESS_COUNT - 2));
  const addresses: string[] = [];
  for (const index of [1, 2, 3]) {
    const { address } = expectOk(await lab.provider.create(requestFor(lab, index)));
    addresses.push(address);
    await lab.restart();
  }
  assert.deepEqual(addresses, ['127.127.255.253', '127.127.255.254', '127.64.0.1']);
  writeFileSync(join(lab.dir, 'next-address'), String(ADDRESS_COUNT - 1));
  const next = expectOk(await lab.provider.create(requestFor(lab, 4)));
  assert.equal(next.address, '127.64.0.2', 'the last and the first are in use');
});

check('[PR-2] process: a deleted instance leaves its address to rest', async (lab) => {
  const first = expectOk(await lab.provider.create(requestFor(lab, 1)));
  expectOk(await lab.provider.delete(first.providerId));
  const again = expectOk(await lab.provider.create(requestFor(lab, 1)));
  assert.notEqual(again.address, first.address);
});

test('[PR-2] addresses: the range is 127.64.0.0/10 without its ends', () => {
  assert.equal(addressAt(0), '127.64.0.1');
  assert.equal(addressAt(ADDRESS_COUNT - 1), '127.127.255.254');
});

check('[PR-19] process: a talkative instance fills no disk, and its end is kept', async (lab) => {
  const bytes = OUTPUT_BYTES_MAX + 10_000;
  const script = `head -c ${bytes} /dev/zero; echo the end; sleep 1; echo after; sleep 1000`;
  const { providerId } = expectOk(await createWith(lab, { command: ['sh', '-c', script] }));
  const output = join(lab.dir, providerId, 'output.log');
  await eventually(
    () => existsSync(`${output}.1`) && readFileSync(output, 'utf8').includes('after'),
  );
  assert.equal(readFileSync(output, 'utf8'), 'after\n');
  const kept = readFileSync(`${output}.1`);
  assert.equal(kept.length, OUTPUT_BYTES_KEPT);
  assert.ok(kept.toString('utf8').endsWith('the end\n'));
  assert.equal(statSync(`${output}.1`).mode & 0o777, 0o600);
});
