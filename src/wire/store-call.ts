/**
 * Calls of the store across threads: the methods that may be called, and what their arguments must
 * look like. Whoever serves the store checks a request here before it believes it.
 */
import {
  type Check,
  isAddress,
  isCount,
  isFlag,
  isName,
  isNumber,
  isText,
  listOf,
  oneOf,
  record,
} from './shape.js';

const isVip = record({
  address: isText,
  prefixLength: isNumber,
  protocol: oneOf('tcp', 'udp', 'any'),
  port: isNumber,
});

const isAttributes = record({
  encap: oneOf('gre4', 'gre6', 'l3dsr'),
  dscp: isNumber,
  srcIpSticky: isFlag,
  tableLength: isNumber,
});

const isClaim = record({
  ...{ thread: isName, incarnation: isNumber, epoch: isNumber },
  ...{ leaseMs: isNumber, coalesceWindowMs: isNumber },
});

const isAmendment = oneOfShapes(
  record({ verb: oneOf('requeue'), row: isText }),
  record({ verb: oneOf('discard'), row: isText, reason: isText }),
  record({ verb: oneOf('republish'), sinceMs: isNumber }),
);

function isTrue(value: unknown): value is true {
  return value === true;
}

function oneOfShapes<A, B, C>(a: Check<A>, b: Check<B>, c: Check<C>): Check<A | B | C> {
  return (value): value is A | B | C => a(value) || b(value) || c(value);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function maybeNull<T>(check: Check<T>): Check<T | null> {
  return (value): value is T | null => value === null || check(value);
}

const isChange = record({ address: isText, row: maybeNull(isText) });

const isFleetEvent = record({
  ...{ key: isText, epoch: isNumber, version: isCount, changes: listOf(isChange) },
});

const isVersion = record(
  { key: isText, epoch: isNumber, version: isCount, hash: isText },
  { own: isTrue },
);

/** One check per argument, in order. */
export const STORE_ARGUMENTS = {
  load: [
    listOf(isText),
    maybeNull(record({ thread: isName, shards: isCount })),
    oneOf('lines', 'rows'),
  ],
  loadFamily: [isAddress],
  /** What they hold is looked at as it is read: src/wire/decision-batch.ts. */
  commit: [isText, isList],
  fence: [isName, isNumber],
  outboxAmend: [isAmendment],
  outboxClaim: [isClaim],
  outboxPending: [isNumber, isNumber],
  /** What it holds is looked at as it is read: src/wire/outcomes.ts. */
  outboxWriteBack: [isText],
  outboxList: [record({ limit: isNumber }, { dead: isFlag })],
  outboxCounts: [],
  journal: [isNumber, isNumber],
  journalHead: [],
  journalOf: [isAddress, isNumber],
  journalById: [isText],
  ledger: [],
  ledgerPut: [record({ frontend: isText, vip: isVip, attributes: isAttributes })],
  ledgerRemove: [isText],
  artifactPut: [
    record({ kind: isText, hash: isText, part: isCount, parts: isCount, bytes: isText }),
  ],
  artifactGet: [isText, isText, isCount],
  artifactsKeep: [isText, listOf(isText)],
  fleetApply: [
    record(
      { events: listOf(isFleetEvent), versions: listOf(isVersion), cursor: isCount },
      { standing: isText, ground: isText, rewind: isTrue },
    ),
  ],
  fleetCursor: [],
  fleetGround: [],
  fleetStanding: [],
  fleetRows: [isText, isText, isCount],
  fleetAdopt: [listOf(isText)],
  outboxAbandon: [listOf(isCount), isText],
  metaGet: [isText],
  metaSet: [isText, isText],
} as const;

export type StoreMethod = keyof typeof STORE_ARGUMENTS;

type Unchecked<C> = C extends Check<infer T> ? T : never;

type Established<Checks extends readonly unknown[]> = {
  -readonly [I in keyof Checks]: Unchecked<Checks[I]>;
};

/** The arguments of a method, in the types its checks have established. */
export type StoreArguments<M extends StoreMethod> = Established<(typeof STORE_ARGUMENTS)[M]>;

export function isStoreMethod(value: unknown): value is StoreMethod {
  return typeof value === 'string' && Object.hasOwn(STORE_ARGUMENTS, value);
}

export function hasArguments<M extends StoreMethod>(
  method: M,
  args: readonly unknown[],
): args is StoreArguments<M> & readonly unknown[] {
  const checks: readonly Check<unknown>[] = STORE_ARGUMENTS[method];
  return args.length === checks.length && checks.every((check, index) => check(args[index]));
}
