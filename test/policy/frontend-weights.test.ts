/** The mapping from health to weights: the source's truth table, our switches, and its laws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HealthState } from '../../machines/model/messages.js';
import {
  frontendState,
  type Member,
  servingShare,
  type WeightRule,
  weigh,
} from '../../src/policy/frontend-weights.js';
import { choosePool, FIRST_POOL } from '../../src/policy/pool-choice.js';
import { seedOfRun } from '../support/seed.js';

const OURS: WeightRule = { flushOnDown: true, unknown: 'keep', allDown: 'keep' };
const SOURCE: WeightRule = { flushOnDown: true, unknown: 'zero', allDown: 'zero' };
const AT_ONCE = { activeWhile: 0, failBack: { at: 0, holdForMs: 0 } };

function member(name: string, state: HealthState, change: Partial<Member> = {}): Member {
  return {
    name,
    address: `10.0.0.${name.length}`,
    pool: 0,
    weight: 100,
    phase: 'in',
    dead: false,
    lastMayGo: false,
    health: { state, positive: false, episode: `${name}-${state}` },
    given: null,
    kept: false,
    ...change,
  };
}

const dead = (episode = 'dead') => ({ state: 'down', positive: true, episode }) as const;

/** `100`, `0!` with a flush, `-` when it is no AS. */
function said(rule: WeightRule, members: readonly Member[], active = 0): string {
  return weigh(rule, members, active)
    .map(({ weight, installed, flushEpisode }) =>
      installed ? `${weight}${flushEpisode === undefined || weight > 0 ? '' : '!'}` : '-',
    )
    .join(' ');
}

function activeOf(rule: WeightRule, members: readonly Member[]): number {
  const shares = [0, 1].map((pool) => servingShare(rule, members, pool));
  return choosePool(AT_ONCE, shares, FIRST_POOL, 0).active;
}

const truth = [
  { p0: 'up', p1: 'up', active: 0, reads: '100 0' },
  { p0: 'up', p1: 'down', active: 0, reads: '100 0!' },
  { p0: 'up', p1: 'unknown', active: 0, reads: '100 0' },
  { p0: 'up', p1: 'paused', active: 0, reads: '100 0' },
  { p0: 'up', p1: 'disabled', active: 0, reads: '100 0!' },
  { p0: 'down', p1: 'up', active: 1, reads: '0! 100' },
  { p0: 'paused', p1: 'up', active: 1, reads: '0 100' },
  { p0: 'unknown', p1: 'up', active: 1, reads: '0 100' },
  { p0: 'disabled', p1: 'up', active: 1, reads: '0! 100' },
  { p0: 'down', p1: 'down', active: 0, reads: '0! 0!' },
  { p0: 'unknown', p1: 'unknown', active: 0, reads: '0 0' },
  { p0: 'disabled', p1: 'paused', active: 0, reads: '0! 0' },
] as const;

for (const { p0, p1, active, reads } of truth) {
  test(`[FE-5] weights, as the source: ${p0} over ${p1}`, () => {
    const members = [member('a', p0), member('bb', p1, { pool: 1 })];
    assert.equal(activeOf(SOURCE, members), active);
    assert.equal(said(SOURCE, members, active), reads);
  });
}

test('[FE-5] weights, as the source: a pool whose members all weigh 0 is not active', () => {
  const members = [member('a', 'up', { weight: 0 }), member('bb', 'up', { pool: 1 })];
  assert.equal(activeOf(SOURCE, members), 1);
  assert.equal(said(SOURCE, members, 1), '0 100');
});

const flushes = [
  { state: 'down', flushOnDown: false, reads: '0' },
  { state: 'down', flushOnDown: true, reads: '0!' },
  { state: 'disabled', flushOnDown: false, reads: '0!' },
  { state: 'paused', flushOnDown: true, reads: '0' },
  { state: 'unknown', flushOnDown: true, reads: '0' },
] as const;

for (const { state, flushOnDown, reads } of flushes) {
  test(`[FE-5] weights: ${state} with flushOnDown ${flushOnDown} is ${reads}`, () => {
    assert.equal(said({ ...SOURCE, flushOnDown }, [member('a', state)]), reads);
  });
}

const given = (weight: number | null) => ({ given: weight });

const ours: readonly { rule: string; name: string; members: readonly Member[]; reads: string }[] = [
  {
    rule: 'FE-1',
    name: 'unknown keeps what it was given',
    members: [member('a', 'unknown', given(100)), member('bb', 'unknown', given(37))],
    reads: '100 37',
  },
  {
    rule: 'FE-1',
    name: 'unknown follows a configured weight down, never up',
    members: [
      member('a', 'unknown', { given: 100, weight: 10 }),
      member('bb', 'unknown', { given: 10, weight: 100 }),
    ],
    reads: '10 10',
  },
  {
    rule: 'FE-9',
    name: 'a member never seen up is no AS',
    members: [member('a', 'unknown'), member('bb', 'down'), member('ccc', 'up')],
    reads: '- - 100',
  },
  {
    rule: 'FE-2',
    name: 'the last one down keeps its weight and its flows',
    members: [member('a', 'down', given(100)), member('bb', 'down', given(0))],
    reads: '100 0!',
  },
  {
    rule: 'FE-2',
    name: 'not the last: down is 0 and flushed',
    members: [member('a', 'down', given(100)), member('bb', 'up', given(100))],
    reads: '0! 100',
  },
  {
    rule: 'FE-2',
    name: 'an operator may empty a VIP',
    members: [member('a', 'paused', given(100)), member('bb', 'down', given(0))],
    reads: '0 0!',
  },
  {
    rule: 'FE-2',
    name: 'so may a configured weight of 0',
    members: [member('a', 'down', { given: 100, weight: 0 })],
    reads: '0!',
  },
  {
    rule: 'FE-3',
    name: 'proven dead gives way to an AS that is only silent',
    members: [
      member('a', 'down', { given: 100, health: dead() }),
      member('bb', 'down', { given: 0, weight: 50 }),
    ],
    reads: '0! 50',
  },
  {
    rule: 'FE-3',
    name: 'of two that carried, the proven dead goes',
    members: [
      member('a', 'down', { given: 100, health: dead() }),
      member('bb', 'down', { given: 100 }),
    ],
    reads: '0! 100',
  },
  {
    rule: 'FE-3',
    name: 'stand-ins come from one pool, the active one first',
    members: [
      member('a', 'down', { given: 100, health: dead() }),
      member('bb', 'down', given(0)),
      member('ccc', 'down', { given: 0, pool: 1 }),
    ],
    reads: '0! 100 0!',
  },
  {
    rule: 'FE-1',
    name: 'a kept weight is not lost to one that is merely unknown',
    members: [
      member('a', 'down', { given: 100, kept: true }),
      member('bb', 'unknown', given(100)),
      member('ccc', 'down', given(50)),
    ],
    reads: '100 100 0!',
  },
  {
    rule: 'FE-3',
    name: 'proven dead and nobody else: kept',
    members: [
      member('a', 'down', { given: 100, health: dead() }),
      member('bb', 'down'),
      member('ccc', 'disabled', given(0)),
    ],
    reads: '100 - 0!',
  },
  {
    rule: 'FE-4',
    name: 'a drain beside a server that serves',
    members: [member('a', 'up', { given: 100, phase: 'drain' }), member('bb', 'up', given(100))],
    reads: '0 100',
  },
  {
    rule: 'FE-4',
    name: 'the last one waits with its drain',
    members: [member('a', 'up', { given: 100, phase: 'drain' }), member('bb', 'unknown')],
    reads: '100 -',
  },
  {
    rule: 'FE-4',
    name: 'the last one goes when the last may go',
    members: [member('a', 'up', { given: 100, phase: 'drain', lastMayGo: true })],
    reads: '0',
  },
  {
    rule: 'FE-4',
    name: 'the dead do not wait',
    members: [member('a', 'up', { given: 100, phase: 'drain', dead: true })],
    reads: '0',
  },
  {
    rule: 'FE-4',
    name: 'a healthy one that drains is held rather than a silent one kept',
    members: [member('a', 'up', { given: 100, phase: 'drain' }), member('bb', 'down', given(100))],
    reads: '100 0!',
  },
  {
    rule: 'FE-4',
    name: 'out is out, even the last one',
    members: [member('a', 'up', { given: 100, phase: 'out', dead: true })],
    reads: '-',
  },
  {
    rule: 'FE-9',
    name: 'a standby that is up is installed at 0',
    members: [member('a', 'up', given(100)), member('bb', 'up', { pool: 1 })],
    reads: '100 0',
  },
  {
    rule: 'FE-4',
    name: 'a member whose pool is gone is out',
    members: [member('a', 'up', given(100)), member('bb', 'up', { pool: -1, given: 100 })],
    reads: '100 -',
  },
];

for (const { rule, name, members, reads } of ours) {
  test(`[${rule}] weights: ${name}`, () => assert.equal(said(OURS, members), reads));
}

test('[FE-2] weights: with allDown zero the last one goes to 0 and is flushed', () => {
  assert.equal(said({ ...OURS, allDown: 'zero' }, [member('a', 'down', given(100))]), '0!');
});

test('[FE-1] pool share: unknown with a weight serves, a member never seen counts neither way', () => {
  const share = (members: readonly Member[]) => servingShare(OURS, members, 0);
  assert.equal(share([member('a', 'unknown', given(100)), member('bb', 'down', given(0))]), 0.5);
  assert.equal(share([member('a', 'up'), ...['b', 'c', 'd'].map((n) => member(n, 'unknown'))]), 1);
  assert.equal(share([member('a', 'up'), member('bb', 'down')]), 0.5);
  assert.equal(share([member('a', 'up', { phase: 'drain' })]), 0);
  assert.equal(share([]), 0);
});

const states = [
  { members: [], state: 'unknown' },
  { members: [member('a', 'unknown', given(100))], state: 'unknown' },
  { members: [member('a', 'down', given(0)), member('bb', 'unknown')], state: 'down' },
  { members: [member('a', 'down', given(100))], state: 'down' },
  { members: [member('a', 'up')], state: 'up' },
  { members: [member('a', 'up', { given: 100, phase: 'drain' })], state: 'up' },
  { members: [member('a', 'paused', given(100))], state: 'down' },
] as const;

for (const { members, state } of states) {
  const names = members.map(({ health }) => health.state).join(', ') || 'nobody';
  test(`[FE-2] frontend state: ${names} is ${state}`, () => {
    assert.equal(frontendState(members, weigh(OURS, members, 0)), state);
  });
}

const STATES: readonly HealthState[] = ['unknown', 'up', 'down', 'paused', 'disabled'];
const anyMember = fc.record({
  state: fc.constantFrom(...STATES),
  positive: fc.boolean(),
  pool: fc.constantFrom(0, 0, 1),
  weight: fc.constantFrom(0, 1, 50, 100),
  phase: fc.constantFrom('in', 'in', 'in', 'drain', 'out'),
  lastMayGo: fc.boolean(),
  given: fc.constantFrom(null, 0, 1, 50, 100),
});

test('[FE-1] [FE-2] [FE-5] [FE-9] weights: the laws hold for any members', () => {
  fc.assert(
    fc.property(fc.array(anyMember, { maxLength: 5 }), fc.boolean(), (drawn, flushOnDown) => {
      const members = drawn.map(({ state, positive, ...rest }, index) => {
        const health = { state, positive: positive && state === 'down', episode: `e${index}` };
        return member(`m${index}`, state, { ...rest, health } as Partial<Member>);
      });
      const rule = { ...OURS, flushOnDown };
      const weighed = weigh(rule, members, activeOf(rule, members));
      const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
      weighed.forEach((one, index) => {
        const { health, phase, weight, given: had } = members[index] ?? member('none', 'up');
        assert.ok(one.weight <= weight, 'never above what is configured');
        if (!one.installed) assert.equal(one.weight, 0, 'only an AS has a weight');
        if (phase === 'out') assert.equal(one.installed, false);
        if (had === null && health.state !== 'up') assert.equal(one.installed, false, 'FE-9');
        if (['paused', 'disabled'].includes(health.state)) assert.equal(one.weight, 0);
        if (health.state === 'unknown') assert.ok(one.weight <= (had ?? 0), 'FE-1');
        const flush = one.flushEpisode !== undefined;
        if (flush) assert.ok(health.state === 'disabled' || health.state === 'down', 'FE-5');
      });
      const lostByHealth = members.some(
        ({ health, phase, given: had, weight, pool }) =>
          health.state === 'down' && phase === 'in' && pool >= 0 && Math.min(had ?? 0, weight) > 0,
      );
      if (lostByHealth) assert.ok(total > 0, 'FE-2');
    }),
    { seed: seedOfRun(), numRuns: 3_000 },
  );
});

test('[FE-4] [FE-45] weigh: in panic the one that serves is not drained before another does', () => {
  const rule = { ...OURS, panicBelow: 0.5 };
  const leaving = member('a', 'up', { phase: 'drain', given: 100 });
  const silent = ['b', 'c'].map((name) => member(name, 'down', { given: 100 }));
  const weights = (members: readonly Member[]) =>
    weigh(rule, members, 0).map(({ weight, reason }) => `${weight} ${reason}`);
  assert.deepEqual(weights([leaving, ...silent]), ['100 drain-held', '100 panic', '100 panic']);
  const served = [leaving, member('b', 'up', { given: 100 }), ...silent.slice(1)];
  assert.deepEqual(weights(served)[0], '0 draining');
});
