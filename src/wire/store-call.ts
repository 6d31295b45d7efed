/**
 * Calls of the store across threads: the methods that may be called, and what their arguments must
 * look like. Whoever serves the store checks a request here before it believes it.
 */
import type { RecordParams } from '../../machines/model/effects.js';
import { REQUEST_DECISIONS_MAX } from './limits.js';
import {
  type Check,
  isAddress,
  isCount,
  isFlag,
  isJson,
  isName,
  isNumber,
  isObject,
  isText,
  listOf,
  maybe,
  oneOf,
  record,
} from './shape.js';

const isTimer = record({ id: isText, dueAtMs: isNumber });

const cellFields = {
  address: isAddress,
  machine: isText,
  machineVersion: isNumber,
  machineHash: isText,
  version: isNumber,
  value: isJson,
  context: isObject,
  timers: listOf(isTimer),
};

const isPublish: Check<NonNullable<RecordParams['publish']>> = record(
  { aggregateKind: isText, aggregateId: isText, data: isObject },
  {
    tenantId: isText as Check<NonNullable<NonNullable<RecordParams['publish']>['tenantId']>>,
    level: isText,
  },
);

const isRecord: Check<RecordParams> = record(
  { event: isText, rule: isText, numbers: isObject },
  { publish: isPublish },
);

/** A decision as the store's port has it. */
export const isDecision = record(
  {
    id: isName,
    at: isNumber,
    actor: isAddress,
    cause: isName,
    thread: isName,
    incarnation: isNumber,
    spawns: listOf(record({ ...cellFields, parent: maybe(isAddress) })),
    forget: isFlag,
    records: listOf(isRecord),
    configGeneration: isNumber,
  },
  { cell: record(cellFields, { parent: isAddress }) },
);

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

const isOutcome = record({ seq: isCount }, { controlVersion: isNumber, error: isText });

/** One check per argument, in order. */
export const STORE_ARGUMENTS = {
  load: [listOf(isText)],
  loadFamily: [isAddress],
  commit: [listOf(isDecision, REQUEST_DECISIONS_MAX)],
  fence: [isName, isNumber],
  outboxPending: [isNumber, isNumber],
  outboxWriteBack: [listOf(isOutcome)],
  outboxList: [record({ limit: isNumber }, { dead: isFlag })],
  outboxCounts: [],
  journal: [isNumber, isNumber],
  journalHead: [],
  journalOf: [isAddress, isNumber],
  journalById: [isText],
  ledger: [],
  ledgerPut: [record({ frontend: isText, vip: isVip, attributes: isAttributes })],
  ledgerRemove: [isText],
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
