/**
 * `plan` of a running daemon: the requests and bucket counts it prints are those the simulated VPP then
 * gets and shows after the reload.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { type Daemon, makeSite, type Site, until } from '../support/daemon.js';
import { judge, readOpLog } from '../support/op-log.js';

const NOW = `
node: { name: e2e }
backends:
  b1: { address: 127.0.0.11 }
  b2: { address: 127.0.0.12 }
  b3: { address: 127.0.0.21 }
frontends:
  web: { address: 192.0.2.1, port: 443, pools: [{ name: one, members: [{ backend: b1, weight: 100 }, { backend: b2, weight: 50 }] }] }
dataplane: { startupMinDelay: 0s, syncInterval: 2s }
admin: { listen: "off" }
`;
const NEXT = NOW.replace('weight: 50', 'weight: 25').replace(
  'dataplane:',
  '  api: { address: 192.0.2.2, port: 80, pools: [{ name: one, members: [{ backend: b2, weight: 3 }, { backend: b3, weight: 7 }] }] }\ndataplane:',
);

type Buckets = Readonly<Record<string, number>>;

interface Plan {
  readonly changes: readonly JsonObject[];
  readonly problems: readonly JsonObject[];
  readonly dataplane: readonly {
    readonly frontend: string;
    readonly vip: string;
    readonly ops: readonly {
      readonly op: string;
      readonly as?: string;
      readonly weight?: number;
    }[];
    readonly buckets: readonly { readonly as: string; readonly after: number }[];
  }[];
}

describe('plan of a running node', () => {
  let site: Site;
  let daemon: Daemon;

  before(async () => {
    site = makeSite(NOW);
    daemon = await site.start();
    await until('web has its buckets', async () => (await shown('web'))['127.0.0.11'] === 683);
  });
  after(() => site.close());

  /** What VPP says each server owns, by way of the report of its frontend. */
  async function shown(name: string): Promise<Buckets> {
    const ran = await daemon.cli('show', `frontend/${name}`, '--json');
    if (ran.code !== 0) return {};
    const { pools } = JSON.parse(ran.stdout) as {
      pools: readonly { members: readonly JsonObject[] }[];
    };
    const members = pools.flatMap(({ members: all }) => all);
    return Object.fromEntries(members.map(({ address, buckets }) => [address, Number(buckets)]));
  }

  test('[EE-70] plan of the file in force: nothing, exit 0', async () => {
    const { code, stdout } = await daemon.cli('plan');
    assert.deepEqual([code, stdout.trim()], [0, 'nothing to do']);
  });

  test('[EE-70] plan FILE, then the reload: the simulator gets these requests and shows these buckets', async () => {
    const opLog = `${site.dataDir}/vpp.sock.ops.jsonl`;
    const written = readOpLog(opLog);
    const file = `${site.dir}/next.yaml`;
    writeFileSync(file, NEXT);
    const ran = await daemon.cli('plan', file, '--json');
    assert.equal(ran.code, 2, ran.stderr);
    const plan = JSON.parse(ran.stdout) as Plan;
    assert.deepEqual(plan.problems, []);
    assert.deepEqual(plan.dataplane.map(({ frontend }) => frontend).sort(), ['api', 'web']);
    assert.equal(readOpLog(opLog).length, written.length, 'a plan writes nothing');

    site.write(NEXT);
    assert.equal((await daemon.cli('reload')).code, 0);
    for (const { frontend, buckets } of plan.dataplane) {
      const predicted = Object.fromEntries(buckets.map(({ as, after: count }) => [as, count]));
      await until(`${frontend} shows what was predicted`, async () => {
        const now = await shown(frontend);
        return Object.entries(predicted).every(([as, count]) => now[as] === count);
      });
    }
    const lines = readOpLog(opLog).slice(written.length);
    const done = lines.flatMap((line) =>
      'op' in line ? [`${line.vip} ${line.op} ${line.as ?? ''} ${line.weight ?? ''}`] : [],
    );
    const said = plan.dataplane.flatMap(({ vip, ops }) =>
      ops.map(({ op, as, weight }) => `${vip} ${op} ${as ?? ''} ${weight ?? ''}`),
    );
    assert.deepEqual([...done].sort(), [...said].sort());
    assert.deepEqual(judge(lines, written).violations, []);
    const again = await daemon.cli('plan', file);
    assert.equal(again.code, 0, again.stdout + again.stderr);
  });

  test('[EE-70] plan of a file with a problem: exit 1, with its place', async () => {
    const file = `${site.dir}/broken.yaml`;
    writeFileSync(file, NEXT.replace('backend: b3', 'backend: b9'));
    const { code, stdout } = await daemon.cli('plan', file);
    assert.equal(code, 1);
    assert.match(stdout, /broken\.yaml:\d+:\d+: .*b9/);
    assert.equal((await daemon.cli('plan', `${site.dir}/absent.yaml`)).code, 1);
  });
});
