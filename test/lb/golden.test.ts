/**
 * Plans as people read them. `npm run golden` rewrites test/golden/lb-*.txt; the diff is the review.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { FrontendName } from '../../machines/model/ids.js';
import {
  type ActualVip,
  type DesiredVip,
  type LbConf,
  type Vip,
  type VipAttributes,
  vipKey,
} from '../../machines/model/lb.js';
import { diffConf } from '../../src/lb/conf.js';
import { explain, explainPlan } from '../../src/lb/explain.js';
import { forecast } from '../../src/lb/forecast.js';
import { type DiffMemory, NOTHING_REMEMBERED } from '../../src/lb/memory.js';
import { mirrorOf } from '../../src/lb/mirror.js';
import { packDesired, packState } from '../../src/lb/packed/vips.js';
import { diffAll } from '../../src/lb/plan.js';
import { repoPath } from '../support/root.js';
import { bucketShares, DEFAULT_CONF } from '../support/strict-lb.js';

function golden(name: string, text: string): void {
  const file = repoPath('test', 'golden', `lb-${name}.txt`);
  if (process.env['GOLDEN'] === 'write') writeFileSync(file, `${text}\n`);
  assert.equal(`${text}\n`, readFileSync(file, 'utf8'));
}

const ATTRIBUTES: VipAttributes = {
  encap: 'gre4',
  dscp: 0,
  srcIpSticky: false,
  tableLength: 1024,
};

function vip(port: number, address = '192.0.2.1'): Vip {
  return { address, prefixLength: 32, protocol: port === 0 ? 'any' : 'tcp', port };
}

type Servers = Readonly<Record<string, number | readonly [number, string]>>;

function wanted(key: Vip, servers: Servers, change: Partial<DesiredVip> = {}): DesiredVip {
  return {
    frontend: 'web' as FrontendName,
    vip: key,
    attributes: ATTRIBUTES,
    servers: Object.entries(servers).map(([address, weight]) =>
      typeof weight === 'number'
        ? { address, weight }
        : { address, weight: weight[0], flushEpisode: weight[1] },
    ),
    revision: 1,
    priority: 100,
    ...change,
  };
}

function present(key: Vip, servers: Readonly<Record<string, number>>): ActualVip {
  const shares = bucketShares(new Map(Object.entries(servers)), 1024);
  const list = Object.entries(servers).map(([address, weight]) => ({
    address,
    weight,
    buckets: shares.get(address) ?? 0,
  }));
  return { vip: key, encap: 'gre4', dscp: 0, tableLength: 1024, servers: list };
}

function planText(
  vips: readonly ActualVip[],
  desired: readonly DesiredVip[],
  memory: DiffMemory = NOTHING_REMEMBERED,
): string {
  const actual = mirrorOf(packState({ conf: DEFAULT_CONF, vips }));
  const ledger = new Map(vips.map((found) => [vipKey(found.vip), ATTRIBUTES]));
  ledger.delete(vipKey(vip(22)));
  const plan = diffAll(actual, desired.map(packDesired), {
    ownership: 'ledger',
    ledger,
    held: new Set(),
    removable: 'all',
    memory,
  });
  return explainPlan(plan);
}

const SERVING = { '10.0.0.11': 2, '10.0.0.12': 1, '10.0.0.21': 0, '10.0.0.22': 0 };

test('[LB-1] golden: a new VIP is built at weight 0, raised, and flushed once', () => {
  golden('build', planText([], [wanted(vip(443), SERVING)]));
});

test('[LB-2] golden: failover raises the standby pool before the dead servers go to 0', () => {
  const servers: Servers = {
    '10.0.0.11': [0, 'down-1'],
    '10.0.0.12': [0, 'down-2'],
    '10.0.0.21': 2,
    '10.0.0.22': 2,
  };
  golden('failover', planText([present(vip(443), SERVING)], [wanted(vip(443), servers)]));
});

test('[LB-4] golden: a server leaves at weight 0, after its replacement has come', () => {
  const servers = { '10.0.0.9': 2, '10.0.0.12': 1, '10.0.0.21': 0, '10.0.0.22': 0 };
  golden('replace', planText([present(vip(443), SERVING)], [wanted(vip(443), servers)]));
});

test('[LB-8] golden: a disabled standby is flushed once although its weight stays 0', () => {
  const servers: Servers = { ...SERVING, '10.0.0.21': [0, 'disabled-1'] };
  const desired = [wanted(vip(443), servers)];
  const memory: DiffMemory = {
    building: new Set(),
    flushed: new Map([[vipKey(vip(443)), new Map([['10.0.0.21', 'disabled-1']])]]),
  };
  const actual = [present(vip(443), SERVING)];
  const text = `${planText(actual, desired)}\n\nafter its acknowledgement\n${planText(actual, desired, memory)}`;
  golden('flush-once', text);
});

test('[LB-7] golden: another table length is re-created with leave and reported without', () => {
  const attributes = { ...ATTRIBUTES, tableLength: 4096, srcIpSticky: true };
  const actual = [present(vip(443), { '10.0.0.11': 2 })];
  const change = (mayRecreate: boolean) =>
    planText(actual, [wanted(vip(443), { '10.0.0.11': 1 }, { attributes, mayRecreate })]);
  golden('recreate', `without leave\n${change(false)}\n\nwith leave\n${change(true)}`);
});

test('[LB-11] golden: a per-port VIP makes room for an all-port one, other removals come last', () => {
  const actual = [
    present(vip(80), { '10.0.0.11': 1 }),
    present(vip(80, '192.0.2.7'), { '10.0.0.12': 1 }),
    present(vip(443, '192.0.2.9'), { '10.0.0.13': 1 }),
  ];
  const desired = [
    wanted(vip(0), { '10.0.0.11': 1 }),
    wanted(vip(443, '192.0.2.9'), { '10.0.0.14': 1 }, { priority: 1 }),
  ];
  golden('make-room', planText(actual, desired));
});

test('[LB-6] golden: a foreign VIP stays, and what it blocks is reported', () => {
  const actual = [present(vip(22), { '10.0.0.99': 1 })];
  golden('foreign', planText(actual, [wanted(vip(0), { '10.0.0.11': 1 })]));
});

test('[LB-15] golden: settings that are not given keep what VPP has', () => {
  const actual: LbConf = { ...DEFAULT_CONF, ip6Source: '2001:db8::1' };
  const op = diffConf(actual, { ip4Source: '192.0.2.250', flowTimeoutS: 60 });
  const same = diffConf(actual, { ip6Source: '2001:db8::1' });
  const lines = explain(op === undefined ? [] : [op]).join('\n');
  golden('conf', `${lines}\n${same === undefined ? 'nothing to do' : 'something'}`);
});

test('[LB-20] golden: what a failed server will do to new flows', () => {
  const before = present(vip(443), SERVING);
  const actual = mirrorOf(packState({ conf: DEFAULT_CONF, vips: [before] }));
  const desired = wanted(vip(443), { ...SERVING, '10.0.0.11': [0, 'down-1'] });
  const ops = diffAll(actual, [packDesired(desired)], {
    ownership: 'ledger',
    ledger: new Map(),
    held: new Set(),
    removable: 'all',
    memory: NOTHING_REMEMBERED,
  }).steps.flatMap((step) => step.ops);
  golden('forecast', JSON.stringify(forecast(before, desired, ops), undefined, 2));
});
