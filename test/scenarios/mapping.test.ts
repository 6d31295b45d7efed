/**
 * The mapping from states to weights, in the source's table and with its switches: the active pool,
 * each weight and flush, the state of the frontend, and the buckets VPP gives to the result.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HealthState } from '../../machines/model/messages.js';
import { bucketCounts, flowTable, movedShare, type WeightedServer } from '../../src/lb/maglev.js';
import {
  frontendState,
  type Member,
  servingShare,
  type WeightRule,
  weigh,
} from '../../src/policy/frontend-weights.js';
import { choosePool, FIRST_POOL, type PoolChoice } from '../../src/policy/pool-choice.js';
import { B1, B2, B3, B4 } from './fixture.js';

const SOURCE: WeightRule = { flushOnDown: true, unknown: 'zero', allDown: 'zero' };
const AT_ONCE = { activeWhile: 0, failBack: { at: 0, holdForMs: 0 } };
const TABLE = 1024;

interface Place {
  readonly name: string;
  readonly address: string;
  readonly pool: number;
  readonly weight: number;
}

const PLACES: readonly Place[] = [
  { name: 'b1', address: B1, pool: 0, weight: 100 },
  { name: 'b2', address: B2, pool: 0, weight: 50 },
  { name: 'b3', address: B3, pool: 1, weight: 100 },
  { name: 'b4', address: B4, pool: 1, weight: 100 },
];

interface Mapped {
  readonly servers: readonly WeightedServer[];
  readonly choice: PoolChoice;
  readonly frontend: string;
  /** `100 50 0! 0`: weights in order, `!` with a flush. */
  readonly reads: string;
  /** Buckets in order. */
  readonly buckets: string;
}

/** One letter each: u up, d down, ? unknown, x disabled. */
function map(
  letters: string,
  change: { rule?: Partial<WeightRule>; weights?: readonly number[]; before?: PoolChoice } = {},
): Mapped {
  const rule = { ...SOURCE, ...change.rule };
  const members = PLACES.map((place, index) =>
    memberOf(place, letters[index], change.weights?.[index]),
  );
  const shares = [0, 1].map((pool) => servingShare(rule, members, pool));
  const choice = choosePool(AT_ONCE, shares, change.before ?? FIRST_POOL, 0);
  const weighed = weigh(rule, members, choice.active);
  const servers = weighed.map(({ weight }, index) => ({
    address: PLACES[index]?.address ?? '',
    weight,
  }));
  const counts = bucketCounts(servers, TABLE);
  return {
    servers,
    choice,
    frontend: frontendState(members, weighed),
    reads: weighed
      .map(({ weight, flushEpisode }) => `${weight}${flushEpisode === undefined ? '' : '!'}`)
      .join(' '),
    buckets: servers.map(({ address }) => counts.get(address) ?? 0).join(' '),
  };
}

const STATES: Readonly<Record<string, HealthState>> = {
  u: 'up',
  d: 'down',
  '?': 'unknown',
  x: 'disabled',
};

function memberOf(place: Place, letter = 'u', weight = place.weight): Member {
  const state = STATES[letter] ?? 'unknown';
  return {
    ...place,
    weight,
    phase: 'in',
    dead: false,
    lastMayGo: false,
    health: { state, positive: false, episode: `${place.name} ${state}` },
    given: 0,
    kept: false,
  };
}

interface Row {
  readonly rule: string;
  readonly name: string;
  readonly letters: string;
  readonly change?: Parameters<typeof map>[1];
  readonly pool: number;
  readonly reads: string;
  readonly buckets?: string;
  readonly frontend?: string;
}

const FAILED_OVER: PoolChoice = { active: 1, contender: null };

const rows: readonly Row[] = [
  {
    rule: 'DP-18',
    name: 'all up: the primary pool carries everything',
    letters: 'uuuu',
    pool: 0,
    reads: '100 50 0 0',
    buckets: '674 350 0 0',
  },
  {
    rule: 'DP-19',
    name: 'one of two down: the other has the whole table',
    letters: 'duuu',
    pool: 0,
    reads: '0! 50 0 0',
    buckets: '0 1024 0 0',
  },
  {
    rule: 'DP-20',
    name: 'the primary pool down: the fallback takes over',
    letters: 'dduu',
    pool: 1,
    reads: '0! 0! 100 100',
    buckets: '0 0 512 512',
    frontend: 'up',
  },
  {
    rule: 'DP-21',
    name: 'a primary pool at weight 0 is no primary pool, and keeps its flows',
    letters: 'uuuu',
    change: { weights: [0, 0, 100, 100] },
    pool: 1,
    reads: '0 0 100 100',
  },
  {
    rule: 'DP-22',
    name: 'one of the primary pool is back: the fallback drains, its flows stay',
    letters: 'duuu',
    change: { before: FAILED_OVER },
    pool: 0,
    reads: '0! 50 0 0',
  },
  {
    rule: 'DP-24',
    name: 'down without flushOnDown keeps its flows',
    letters: 'duuu',
    change: { rule: { flushOnDown: false } },
    pool: 0,
    reads: '0 50 0 0',
  },
  {
    rule: 'DP-25',
    name: 'disabled is flushed even so',
    letters: 'xuuu',
    change: { rule: { flushOnDown: false } },
    pool: 0,
    reads: '0! 50 0 0',
  },
  {
    rule: 'DP-26',
    name: 'all unknown: nothing is flushed, the frontend is unknown',
    letters: '????',
    pool: 0,
    reads: '0 0 0 0',
    frontend: 'unknown',
  },
  {
    rule: 'DP-27',
    name: 'one down and the rest unknown: the frontend is down',
    letters: 'd???',
    pool: 0,
    reads: '0! 0 0 0',
    frontend: 'down',
  },
];

for (const { rule, name, letters, change, ...wanted } of rows) {
  test(`[${rule}] mapping: ${name}`, () => {
    const mapped = map(letters, change);
    const { reads, buckets = mapped.buckets, frontend = mapped.frontend, pool } = wanted;
    assert.deepEqual(
      [mapped.choice.active, mapped.reads, mapped.buckets, mapped.frontend],
      [pool, reads, buckets, frontend],
    );
  });
}

test('[DP-20] mapping: a failover of pools moves every bucket', () => {
  const [before, after] = [map('uuuu'), map('dduu')].map(({ servers }) =>
    flowTable(servers, TABLE),
  );
  assert.ok(before !== undefined && after !== undefined);
  assert.equal(movedShare(before, after), 1);
});
