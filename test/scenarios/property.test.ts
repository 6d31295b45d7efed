/**
 * The property behind all scenarios: after any history of health, operators, configuration and VPP
 * itself, one full sync makes VPP what the final states map to, and another one writes nothing.
 *
 * With the source's switches the map has no memory, so a table of a few lines can judge it. With ours
 * what was given before counts; there VPP must be what the frontend says it gave.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { Vip } from '../../machines/model/lb.js';
import type { Message } from '../../machines/model/messages.js';
import { TERMS } from '../support/book.js';
import { HEALTHY } from '../support/fake-prober.js';
import { seedOfRun } from '../support/seed.js';
import type { Edits } from '../support/site.js';
import type { VirtualNode } from '../support/virtual-node.js';
import {
  B1,
  B2,
  B3,
  B4,
  backend,
  behave,
  callsDuring,
  conditionTypes,
  fixture,
  frontend,
  ours,
  REFUSES,
  restartVpp,
  SILENT,
  synced,
  weightsOf,
} from './fixture.js';

const ADDRESSES = [B1, B2, B3, B4];
const BEHAVIOURS = [HEALTHY, REFUSES, SILENT];
const VERBS = ['backend.pause', 'backend.resume', 'backend.disable', 'backend.enable'];
const WEIGHTS = [
  [100, 50],
  [0, 0],
  [50, 100],
  [0, 50],
] as const;
const WEB: Vip = { address: '192.0.2.1', prefixLength: 32, protocol: 'tcp', port: 443 };

const which = fc.nat(3);
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant('probe' as const), which, how: fc.nat(2) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('verb' as const), which, how: fc.nat(3) }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('config' as const), how: fc.nat(3) }) },
  fc.record({ what: fc.constant('hand' as const), which, weight: fc.nat(100) }),
  fc.record({ what: fc.constantFrom('crash' as const, 'drop' as const, 'empty' as const) }),
  fc.record({ what: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

interface Scene {
  node: VirtualNode;
  readonly text: (edits: Edits) => string;
  weights: readonly [number, number];
}

async function perform(scene: Scene, one: Event): Promise<void> {
  const { node } = scene;
  switch (one.what) {
    case 'probe':
      return behave(node, ADDRESSES[one.which] ?? B1, BEHAVIOURS[one.how] ?? HEALTHY);
    case 'verb': {
      const message = { ...TERMS, type: VERBS[one.how] } as Message;
      await node.order(addressOf('backend', `b${one.which + 1}`), message);
      return;
    }
    case 'config':
      scene.weights = WEIGHTS[one.how] ?? WEIGHTS[0];
      await node.configure(scene.text(weightEdits(scene.weights)));
      return;
    case 'hand':
      node.lb.apply({
        op: 'as.weight',
        vip: WEB,
        as: ADDRESSES[one.which] ?? B1,
        weight: one.weight,
        flush: false,
      });
      return;
    case 'crash':
      scene.node = await node.crash();
      return;
    case 'drop':
      return node.dataplane.drop('the plug was pulled');
    case 'empty':
      return restartVpp(node);
    case 'wait':
      await node.clock.advance(one.ms);
  }
}

function weightEdits([one, two]: readonly [number, number]): Edits {
  return [
    ['backend: b1, weight: 100', `backend: b1, weight: ${one}`],
    ['backend: b2, weight: 50', `backend: b2, weight: ${two}`],
  ];
}

/** What VPP must have: the source's table in four lines. */
function mapOf({ node, weights }: Scene): Readonly<Record<string, number>> {
  const configured = [...weights, 100, 100];
  const up = ADDRESSES.map((_, index) => backend(node, `b${index + 1}`)['state'] === 'up');
  const serves = (pool: number) =>
    [0, 1].some((at) => up[pool * 2 + at] && configured[pool * 2 + at]);
  const active = !serves(0) && serves(1) ? 1 : 0;
  const given = configured.map((weight, index) =>
    up[index] && Math.floor(index / 2) === active ? weight : 0,
  );
  return Object.fromEntries(ADDRESSES.map((as, index) => [as.slice(6), given[index] ?? 0]));
}

/** What the frontend says it gave, on its scale. */
function saidOf({ node }: Scene): Readonly<Record<string, number>> {
  const { pools, vip } = frontend(node) as { pools: readonly JsonObject[]; vip: JsonObject };
  const members = pools.flatMap(({ members: all }) => all as readonly JsonObject[]);
  const present = members.filter(({ effectiveWeight, sentWeight, address }) => {
    return (
      weightsOf(node)[String(address).slice(6)] !== undefined ||
      sentWeight !== 0 ||
      effectiveWeight !== 0
    );
  });
  const scale = Number(vip['scale']);
  return Object.fromEntries(
    present.map(({ address, effectiveWeight }) => [
      String(address).slice(6),
      Number(effectiveWeight) / scale,
    ]),
  );
}

async function holds(scene: Scene, history: readonly Event[], wanted: (at: Scene) => object) {
  for (const one of history) {
    await perform(scene, one);
    await scene.node.clock.advance(500);
  }
  await scene.node.clock.advance(90_000);
  assert.deepEqual(weightsOf(scene.node), wanted(scene));
  assert.deepEqual(await callsDuring(scene.node, () => scene.node.clock.advance(90_000)), []);
  assert.deepEqual(conditionTypes(scene.node), []);
}

const histories = fc.array(event, { minLength: 1, maxLength: 12 });
const options = { seed: seedOfRun(), numRuns: Number(process.env['SIM_RUNS'] ?? 8) };

test('[DP-60] after any history VPP is the map of the final states, and stays as it is', async () => {
  const property = fc.asyncProperty(histories, async (history) => {
    const node = await synced(fixture());
    await holds({ node, text: fixture, weights: WEIGHTS[0] }, history, mapOf);
  });
  await fc.assert(property, options);
});

test('[DP-60] with our switches VPP is what the frontend says it gave, and stays as it is', async () => {
  const property = fc.asyncProperty(histories, async (history) => {
    const node = await synced(ours());
    await holds({ node, text: ours, weights: WEIGHTS[0] }, history, saidOf);
  });
  await fc.assert(property, options);
});
