/**
 * Calls of the store across threads: the methods that may be called, and what their arguments must
 * look like. Whoever serves the store checks a request here before it believes it.
 */
import { REQUEST_DECISIONS_MAX } from './limits.js';
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

/**
 * Decisions and cells cross as src/ports/packed.ts has them: tuples whose structured parts are JSON
 * text. Spelt out by hand, since every decision of the node passes here twice.
 */
type Cell = readonly [
  address: string,
  parent: string | null,
  machine: string,
  machineVersion: number,
  machineHash: string,
  version: number,
  incarnation: number,
  value: string,
  context: string,
  timers: string,
];

type Publish = readonly [
  aggregateKind: string,
  aggregateId: string,
  tenantId: string | null,
  level: string | null,
  data: string,
];

type Entry = readonly [event: string, rule: string, numbers: string, publish: Publish | null];

type Decision = readonly [
  id: string,
  at: number,
  actor: string,
  cause: string,
  thread: string,
  incarnation: number,
  configGeneration: number,
  forget: boolean,
  cell: Cell | null,
  spawns: readonly Cell[],
  records: readonly Entry[],
];

export function isPackedCell(value: unknown): value is Cell {
  if (!Array.isArray(value) || value.length !== 10) return false;
  const [address, parent, machine, machineVersion, machineHash, version, incarnation] = value;
  return (
    isAddress(address) &&
    (parent === null || isAddress(parent)) &&
    isText(machine) &&
    isNumber(machineVersion) &&
    isText(machineHash) &&
    isNumber(version) &&
    isNumber(incarnation) &&
    isText(value[7]) &&
    isText(value[8]) &&
    isText(value[9])
  );
}

function isPublish(value: unknown): value is Publish {
  if (!Array.isArray(value) || value.length !== 5) return false;
  const [aggregateKind, aggregateId, tenantId, level, data] = value;
  const named = isText(aggregateKind) && isText(aggregateId) && isText(data);
  return named && (tenantId === null || isText(tenantId)) && (level === null || isText(level));
}

function isEntry(value: unknown): value is Entry {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [event, rule, numbers, publish] = value;
  const named = isText(event) && isText(rule) && isText(numbers);
  return named && (publish === null || isPublish(publish));
}

const areCells = listOf(isPackedCell);
const areEntries = listOf(isEntry);

export function isPackedDecision(value: unknown): value is Decision {
  if (!Array.isArray(value) || value.length !== 11) return false;
  const [id, at, actor, cause, thread, incarnation, configGeneration] = value;
  return (
    isName(id) &&
    isNumber(at) &&
    isAddress(actor) &&
    isName(cause) &&
    isName(thread) &&
    isNumber(incarnation) &&
    isNumber(configGeneration) &&
    isFlag(value[7]) &&
    (value[8] === null || isPackedCell(value[8])) &&
    areCells(value[9]) &&
    areEntries(value[10])
  );
}

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

function maybeNull<T>(check: Check<T>): Check<T | null> {
  return (value): value is T | null => value === null || check(value);
}

/** One check per argument, in order. */
export const STORE_ARGUMENTS = {
  load: [
    listOf(isText),
    maybeNull(record({ thread: isName, shards: isCount })),
    oneOf('lines', 'rows'),
  ],
  loadFamily: [isAddress],
  commit: [listOf(isPackedDecision, REQUEST_DECISIONS_MAX)],
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
