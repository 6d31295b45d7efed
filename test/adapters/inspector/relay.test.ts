/** Steps to frames: the protocol, and what late viewers, many actors and bursts do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AnyStateMachine, and, setup } from 'xstate';
import { type Address, addressOf } from '../../../machines/model/ids.js';
import { plainConfig } from '../../../src/adapters/inspector/definition.js';
import type { InspectorFilter } from '../../../src/adapters/inspector/filter.js';
import { INSPECTOR_LIMITS } from '../../../src/adapters/inspector/limits.js';
import {
  type Batch,
  createRelay,
  type Relay,
  type ViewerFrame,
} from '../../../src/adapters/inspector/relay.js';
import { NOTHING_READ } from '../../../src/adapters/inspector/tap.js';
import type { TapFrame } from '../../../src/runtime/kernel.js';
import { seedOfRun } from '../../support/seed.js';

const machine = setup({
  types: { context: {} as { readonly size: number }, events: {} as { readonly type: string } },
  actions: { note: () => undefined },
  guards: { isReady: () => true, isOld: () => false },
  delays: { patience: 10 },
}).createMachine({
  id: 'group',
  context: () => ({ size: 0 }),
  initial: 'idle',
  states: {
    idle: {
      description: 'Waits.',
      on: { go: { guard: and(['isReady', 'isOld']), target: 'busy', actions: { type: 'note' } } },
    },
    busy: { after: { patience: 'idle' }, entry: function scream() {} },
  },
});

const MACHINES: ReadonlyMap<string, AnyStateMachine> = new Map([['group', machine]]);
const ALL: InspectorFilter = { kinds: [], ids: [], ratePerSecond: 1_000 };
const AT = 1_772_366_400_250;

function relayOf(filter: Partial<InspectorFilter> = {}, actorsMax = 3): Relay {
  return createRelay({
    node: 'edge-1',
    machines: MACHINES,
    filter: { ...ALL, ...filter },
    limits: { ...INSPECTOR_LIMITS, actorsMax, silentMs: 1_000 },
    secrets: () => ['canary-1'],
  });
}

function step(address: Address, change: Partial<TapFrame> = {}): TapFrame {
  const event = { type: 'go', meta: { from: 'reload/main', cause: 'd1' } };
  return {
    address,
    machineId: 'group',
    event,
    value: 'busy',
    context: {},
    status: 'active',
    ...change,
  };
}

const batch = (...frames: readonly TapFrame[]): readonly Batch[] => [
  { ...NOTHING_READ, thread: 'shard-1', frames },
];
const standing = (...latest: readonly TapFrame[]): readonly Batch[] => [
  { ...NOTHING_READ, thread: 'shard-1', latest },
];
const at = (monotonicMs: number) => ({ atMs: AT, monotonicMs });
const group = (name: string) => addressOf('group', name);
const typesOf = (frames: readonly ViewerFrame[]) => frames.map(({ type }) => type);

test('[CL-10] the first step of an actor: chart, event, snapshot, as the viewers read them', () => {
  const [actor, event, snapshot] = relayOf().accept(batch(step(group('acme/web'))), at(0));
  const common = {
    sessionId: 'shard-1/group/acme/web',
    rootId: 'edge-1',
    createdAt: String(AT),
    _version: '0.7.2',
  };
  const stands = {
    status: 'active',
    value: 'busy',
    context: {},
    children: {},
    historyValue: {},
    tags: [],
  };
  assert.deepEqual(actor, {
    type: '@xstate.actor',
    name: 'group/acme/web',
    ...common,
    id: null,
    definition: JSON.stringify(plainConfig(machine)),
    snapshot: stands,
  });
  assert.deepEqual(event, {
    type: '@xstate.event',
    ...common,
    id: 'shard-1/group/acme/web#1',
    sourceId: 'reload/main',
    event: { type: 'go' },
  });
  assert.deepEqual(snapshot, {
    type: '@xstate.snapshot',
    ...common,
    id: null,
    event: { type: 'go' },
    snapshot: stands,
  });
});

test('[CL-10] a definition: is data, with every function told by its name', () => {
  assert.deepEqual(plainConfig(machine), {
    id: 'group',
    initial: 'idle',
    states: {
      idle: {
        description: 'Waits.',
        on: {
          go: { guard: { type: 'and(isReady, isOld)' }, target: 'busy', actions: { type: 'note' } },
        },
      },
      busy: { after: { patience: 'idle' }, entry: { type: 'scream' } },
    },
  });
});

test('[CL-10] an instance: has its group on the same thread as parent', () => {
  const context = { spec: { key: 'acme/web' } };
  const [actor] = relayOf().accept(batch(step(addressOf('instance', 'i-1'), { context })), at(0));
  assert.equal(actor?.type === '@xstate.actor' && actor.parentId, 'shard-1/group/acme/web');
});

test('[CL-10] a crash: is told in the snapshot', () => {
  const frames = relayOf().accept(batch(step(group('a/b'), { status: 'error' })), at(0));
  const last = frames.at(-1);
  assert.equal(last?.type === '@xstate.snapshot' && last.snapshot.status, 'error');
});

test('[CL-10] a late viewer: begins with every chart and its latest snapshot', () => {
  const relay = relayOf();
  relay.accept(batch(step(group('a/b')), step(group('c/d'))), at(0));
  relay.accept(batch(step(group('a/b'), { value: 'idle' })), at(10));
  const retained = relay.retained();
  assert.deepEqual(typesOf(retained), [
    '@xstate.actor',
    '@xstate.snapshot',
    '@xstate.actor',
    '@xstate.snapshot',
    'switchyard.counters',
  ]);
  const [, latest] = retained;
  assert.equal(latest?.type === '@xstate.snapshot' && latest.snapshot.value, 'idle');
  relay.clear();
  assert.deepEqual(typesOf(relay.retained()), ['switchyard.counters']);
});

test('[CL-11] more actors than are shown: counted, until one is silent for long', () => {
  const relay = relayOf({}, 2);
  relay.accept(batch(step(group('a/a')), step(group('b/b'))), at(0));
  assert.deepEqual(relay.accept(batch(step(group('c/c'))), at(500)), [
    { type: 'switchyard.counters', dropped: 0, lost: 0, hidden: 1 },
  ]);
  relay.accept(batch(step(group('b/b'))), at(900));
  const frames = relay.accept(batch(step(group('c/c'))), at(1_200));
  assert.deepEqual(frames[0], { type: 'switchyard.forgotten', sessionId: 'shard-1/group/a/a' });
  assert.deepEqual(typesOf(frames.slice(1)), [
    '@xstate.actor',
    '@xstate.event',
    '@xstate.snapshot',
  ]);
});

test('[CL-12] a burst above the rate: counted, and the latest snapshot follows', () => {
  const relay = relayOf({ ratePerSecond: 2 });
  const burst = ['1', '2', '3', '4'].map((value) => step(group('a/b'), { value }));
  const frames = relay.accept(batch(...burst), at(0));
  assert.deepEqual(frames.at(-1), { type: 'switchyard.counters', dropped: 2, lost: 0, hidden: 0 });
  const later = relay.accept(batch(), at(500));
  assert.equal(later.length, 1);
  assert.equal(later[0]?.type === '@xstate.snapshot' && later[0].snapshot.value, '4');
  assert.deepEqual(relay.accept(batch(), at(2_000)), []);
});

test('[CL-12] filters: by kind, by address, by the name alone', () => {
  const seen = (filter: Partial<InspectorFilter>) =>
    relayOf(filter)
      .accept(batch(step(group('a/b')), step(addressOf('backend', 'cache-1'))), at(0))
      .flatMap((frame) => (frame.type === '@xstate.actor' ? [frame.name] : []));
  assert.deepEqual(seen({ kinds: ['backend'] }), ['backend/cache-1']);
  assert.deepEqual(seen({ ids: ['group/a/b'] }), ['group/a/b']);
  assert.deepEqual(seen({ ids: ['cache-1'] }), ['backend/cache-1']);
  assert.deepEqual(seen({ kinds: ['group'], ids: ['cache-1'] }), []);
});

test('[CL-10] what threads could only say of how actors stand: charts, then snapshots', () => {
  const relay = relayOf();
  const first = relay.accept(standing(step(group('a/b'))), at(0));
  assert.deepEqual(typesOf(first), ['@xstate.actor']);
  const second = relay.accept(standing(step(group('a/b'), { value: 'idle' })), at(10));
  assert.deepEqual(typesOf(second), ['@xstate.snapshot']);
  const [, latest] = relay.retained();
  assert.equal(latest?.type === '@xstate.snapshot' && latest.snapshot.value, 'idle');
});

test('[CL-10] an event: is dated by its step, and its sender is the session that is shown', () => {
  const relay = relayOf();
  relay.accept(
    [{ ...NOTHING_READ, thread: 'main', frames: [step(addressOf('reload', 'main'))] }],
    at(0),
  );
  const event = { type: 'go', meta: { from: 'reload/main', at: AT - 77 } };
  const told = relay.accept(batch(step(group('a/b'), { event })), at(10))[1];
  assert.ok(told?.type === '@xstate.event');
  assert.deepEqual([told.sourceId, told.createdAt], ['main/reload/main', String(AT - 77)]);
});

test('[CL-54] a full view: asks the threads for its own actors only, until one is silent', () => {
  const relay = relayOf({}, 2);
  relay.accept(batch(step(group('a/a'))), at(0));
  assert.equal(relay.request(0).shown, undefined);
  relay.accept(batch(step(group('b/b'))), at(0));
  assert.deepEqual(relay.request(500).shown, ['group/a/a', 'group/b/b']);
  assert.equal(relay.request(1_000).shown, undefined);
});

test('[CL-53] what the threads count: is added up and told', () => {
  const counts = { ...NOTHING_READ, dropped: 1, lost: 2, hidden: 3 };
  const both = [
    { ...counts, thread: 'shard-1' },
    { ...counts, thread: 'shard-2' },
  ];
  const frames = relayOf().accept(both, at(0));
  assert.deepEqual(frames, [{ type: 'switchyard.counters', dropped: 2, lost: 4, hidden: 6 }]);
});

test('[CL-55] events and contexts: hold no secret in any frame, late ones included', () => {
  const relay = relayOf();
  const event = { type: 'go', note: 'it was canary-1', meta: { from: 'reload/main' } };
  const context = { error: 'neither canary-1', auth: { password: 'canary-2' } };
  const frames = relay.accept(batch(step(group('a/b'), { event, context })), at(0));
  const said = JSON.stringify([...frames, ...relay.retained()]);
  assert.match(said, /it was \*\*\*/);
  assert.doesNotMatch(said, /canary/);
});

test('[CL-10] any history: a viewer can always draw what it is told, and is told the end', () => {
  const steps = fc.array(
    fc.record({ name: fc.integer({ min: 0, max: 5 }), value: fc.nat(), waitMs: fc.nat(700) }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (history) => {
      const relay = relayOf({ ratePerSecond: 3 });
      const charts = new Map<string, unknown>();
      const truth = new Map<string, unknown>();
      let now = 0;
      const take = (frames: readonly ViewerFrame[]): void => {
        for (const frame of frames) {
          if (frame.type === '@xstate.actor') charts.set(frame.sessionId, frame.snapshot.value);
          else if (frame.type === 'switchyard.forgotten') charts.delete(frame.sessionId);
          else if (frame.type === '@xstate.snapshot') {
            assert.ok(charts.has(frame.sessionId), 'a chart comes before its snapshots');
            charts.set(frame.sessionId, frame.snapshot.value);
          } else if (frame.type === '@xstate.event') assert.ok(charts.has(frame.sessionId));
        }
        assert.ok(charts.size <= 3);
      };
      for (const { name, value, waitMs } of history) {
        now += waitMs;
        take(relay.accept(batch(step(group(`a/g${name}`), { value })), at(now)));
        if (charts.has(`shard-1/group/a/g${name}`)) truth.set(`shard-1/group/a/g${name}`, value);
      }
      take(relay.accept([], at(now + 10_000)));
      for (const [session, value] of charts) assert.equal(value, truth.get(session));
    }),
    { seed: seedOfRun() },
  );
});
