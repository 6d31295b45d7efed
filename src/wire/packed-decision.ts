/**
 * What a decision and a cell look like between threads, and the check that one does: spelt out by hand,
 * since every decision of the node passes here.
 *
 * They are tuples whose structured parts are JSON text, as src/ports/packed.ts has them.
 */
import { isAddress, isFlag, isName, isNumber, isText, listOf } from './shape.js';

export type Cell = readonly [
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

export type Publish = readonly [
  aggregateKind: string,
  aggregateId: string,
  tenantId: string | null,
  level: string | null,
  data: string,
];

export type Entry = readonly [
  event: string,
  rule: string,
  numbers: string,
  publish: Publish | null,
];

export type Decision = readonly [
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

function isPackedCell(value: unknown): value is Cell {
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
