/** Books of a group, for tables and laws of what it does next. */
import fc from 'fast-check';
import { DEFAULT_DISRUPTION, type DisruptionSpec } from '../../machines/model/desired.js';
import { groupKeyOf, type InstanceId, instanceIdFor } from '../../machines/model/ids.js';
import { INSTANCE_STATES } from '../../machines/model/messages.js';
import type { Books, Member } from '../../src/policy/members.js';
import type { ScaleStep } from '../../src/policy/scale.js';

export const NOW_MS = 1_000_000;
export const INFRA = 'local/abc';
const KEY = groupKeyOf('acme', 'web');

export function idOf(index: number): InstanceId {
  return instanceIdFor(KEY, '0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000', index);
}

/** Member number `index`; higher numbers are younger. */
export function member(index: number, change: Partial<Member> = {}): Member {
  const state = change.state ?? 'serving';
  const serving = state === 'serving';
  return {
    id: idOf(index),
    state,
    sinceMs: index,
    requestedAtMs: index,
    inService: serving,
    replaceWanted: false,
    ...change,
  };
}

export function books(members: readonly Member[], change: Partial<Books> = {}): Books {
  return {
    ...{ at: NOW_MS, rules: DEFAULT_DISRUPTION, infra: INFRA, breaker: 'closed' },
    ...{ wanted: 3, maxSize: 6, replace: 'create-first', failures: 0 },
    members,
    ...change,
  };
}

/** The step in one line: `create`, `create for 1`, `drain 2 replaced`, `rest`. */
export function named(step: ScaleStep | undefined): string {
  if (step === undefined) return 'rest';
  const number = (id: InstanceId): number => Number.parseInt(id.slice(-2), 16);
  if (step.kind === 'drain') return `drain ${number(step.id)} ${step.reason}`;
  return step.replaces === undefined ? 'create' : `create for ${number(step.replaces)}`;
}

interface Rules {
  readonly max?: number;
  readonly windows?: DisruptionSpec['budget']['windows'];
  readonly unhealthyAbove?: number;
  readonly forcedAgeMs?: number | undefined;
  readonly eligibleAgeMs?: number | undefined;
}

export function rulesWith(rules: Rules): DisruptionSpec {
  const { max = 1, windows = 'always', unhealthyAbove = 0.4, forcedAgeMs, eligibleAgeMs } = rules;
  return {
    budget: { max: { count: max }, windows },
    breaker: { unhealthyAbove },
    expiry: {
      ...(forcedAgeMs === undefined ? {} : { forcedAgeMs }),
      ...(eligibleAgeMs === undefined ? {} : { eligibleAgeMs }),
    },
  };
}

const AGES_MS = [undefined, 500_000, 999_990] as const;

const memberArb = fc.record({
  state: fc.constantFrom(...INSTANCE_STATES),
  inService: fc.boolean(),
  replaceWanted: fc.boolean(),
  infra: fc.constantFrom(INFRA, INFRA, 'local/old'),
  replaces: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
  leaving: fc.option(fc.constantFrom('scale-down' as const, 'replaced' as const), {
    nil: undefined,
  }),
});

export const booksArb: fc.Arbitrary<Books> = fc
  .record({
    wanted: fc.integer({ min: 0, max: 6 }),
    spare: fc.integer({ min: 0, max: 3 }),
    replace: fc.constantFrom('create-first' as const, 'delete-first' as const),
    failures: fc.integer({ min: 0, max: 5 }),
    breaker: fc.constantFrom('closed' as const, 'open' as const, 'half-open' as const),
    max: fc.integer({ min: 1, max: 4 }),
    unhealthyAbove: fc.constantFrom(0, 0.4, 1),
    forcedAgeMs: fc.constantFrom(...AGES_MS),
    eligibleAgeMs: fc.constantFrom(...AGES_MS),
    raw: fc.array(memberArb, { maxLength: 9 }),
  })
  .map(({ wanted, spare, replace, failures, breaker, raw, ...rules }) => ({
    ...books([]),
    breaker,
    rules: rulesWith(rules),
    wanted,
    maxSize: wanted + spare,
    replace,
    failures,
    members: raw.map(({ replaces, leaving, inService, ...rest }, index) =>
      member(index, {
        ...rest,
        inService: inService && rest.state === 'serving',
        ...(replaces === undefined || replaces === index ? {} : { replaces: idOf(replaces) }),
        ...(leaving === undefined ? {} : { leaving }),
      }),
    ),
  }));

/** The books after the group took the step; a new member has an id of its own. */
export function after(given: Books, step: ScaleStep): Books {
  if (step.kind === 'drain') {
    const members = given.members.map((one) =>
      one.id === step.id ? { ...one, leaving: step.reason } : one,
    );
    return { ...given, members };
  }
  const index = 100 + given.members.length;
  const follows = step.replaces === undefined ? {} : { replaces: step.replaces };
  const created = member(index, { state: 'requested', requestedAtMs: given.at, ...follows });
  return { ...given, members: [...given.members, created] };
}
