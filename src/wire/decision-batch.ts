/**
 * Many decisions as one text and one list of numbers, the way they cross to the store's thread: all
 * their texts one behind the other, and in the order of the columns each number itself, each text as
 * its length. To pack and to read a value is then one step, where a value on its own costs a frame's
 * codec and its checks several, and every decision of the node passes here twice.
 *
 * What was read is a list of decisions of the right shape, or nothing: lengths are checked as they are
 * used, and nothing may be left over.
 */
import { REQUEST_DECISIONS_MAX } from './limits.js';
import type { Cell, Decision, Entry, Publish } from './packed-decision.js';
import { isAddress, isName, isNumber } from './shape.js';

/** The texts, and the numbers: those of the decisions, lengths of texts, counts of parts. */
export type DecisionBatch = readonly [texts: string, numbers: readonly unknown[]];

/** Instead of the length of a text that is not there. */
const ABSENT = -1;

export function packBatch(decisions: readonly Decision[]): DecisionBatch {
  const texts: string[] = [];
  const numbers: number[] = [decisions.length];
  for (const decision of decisions) packDecision(texts, numbers, decision);
  return [texts.join(''), numbers];
}

function packDecision(texts: string[], numbers: number[], decision: Decision): void {
  const [id, at, actor, cause, thread, incarnation, configGeneration] = decision;
  const [, , , , , , , forget, cell, spawns, records] = decision;
  texts.push(id, actor, cause, thread);
  numbers.push(id.length, at, actor.length, cause.length, thread.length, incarnation);
  numbers.push(configGeneration, forget ? 1 : 0, cell === null ? 0 : 1);
  if (cell !== null) packCell(texts, numbers, cell);
  numbers.push(spawns.length);
  for (const spawn of spawns) packCell(texts, numbers, spawn);
  numbers.push(records.length);
  for (const record of records) packEntry(texts, numbers, record);
}

function packCell(texts: string[], numbers: number[], cell: Cell): void {
  const [address, parent, machine, machineVersion, machineHash, version, incarnation] = cell;
  const [, , , , , , , value, context, timers] = cell;
  texts.push(address, parent ?? '', machine, machineHash, value, context, timers);
  numbers.push(address.length, parent === null ? ABSENT : parent.length, machine.length);
  numbers.push(machineVersion, machineHash.length, version, incarnation);
  numbers.push(value.length, context.length, timers.length);
}

function packEntry(texts: string[], numbers: number[], [event, rule, given, publish]: Entry): void {
  texts.push(event, rule, given);
  numbers.push(event.length, rule.length, given.length, publish === null ? 0 : 1);
  if (publish === null) return;
  const [kind, id, tenant, level, data] = publish;
  texts.push(kind, id, tenant ?? '', level ?? '', data);
  numbers.push(kind.length, id.length, tenant === null ? ABSENT : tenant.length);
  numbers.push(level === null ? ABSENT : level.length, data.length);
}

/** @returns `undefined` when it is not what `packBatch` makes. */
export function readBatch([texts, numbers]: DecisionBatch): readonly Decision[] | undefined {
  const from = new Reader(texts, numbers);
  const count = from.count(REQUEST_DECISIONS_MAX);
  const decisions: Decision[] = [];
  while (decisions.length < count && from.ok) decisions.push(readDecision(from));
  return from.isAtEnd ? decisions : undefined;
}

function readDecision(from: Reader): Decision {
  const id = from.name();
  const at = from.number();
  const actor = from.address();
  const cause = from.name();
  const thread = from.name();
  const incarnation = from.number();
  const configGeneration = from.number();
  const forget = from.count(1) === 1;
  const cell = from.count(1) === 1 ? readCell(from) : null;
  const spawns = readEach(from, readCell);
  const records = readEach(from, readEntry);
  return [
    id,
    at,
    actor,
    cause,
    thread,
    incarnation,
    configGeneration,
    forget,
    cell,
    spawns,
    records,
  ];
}

const NONE: readonly never[] = [];

function readEach<T>(from: Reader, read: (from: Reader) => T): readonly T[] {
  const count = from.count(from.numbersLeft);
  if (count === 0) return NONE;
  const parts = [read(from)];
  while (parts.length < count && from.ok) parts.push(read(from));
  return parts;
}

function readCell(from: Reader): Cell {
  return [
    from.address(),
    from.addressOrNull(),
    from.text(),
    from.number(),
    from.text(),
    from.number(),
    from.number(),
    from.text(),
    from.text(),
    from.text(),
  ];
}

function readEntry(from: Reader): Entry {
  const [event, rule, numbers] = [from.text(), from.text(), from.text()];
  return [event, rule, numbers, from.count(1) === 1 ? readPublish(from) : null];
}

function readPublish(from: Reader): Publish {
  return [from.text(), from.text(), from.textOrNull(), from.textOrNull(), from.text()];
}

/** Once something does not fit, `ok` is false for good and whatever is read says nothing. */
class Reader {
  ok = true;
  private texts: string;
  private numbers: readonly unknown[];
  private textAt = 0;
  private numberAt = 0;

  constructor(texts: string, numbers: readonly unknown[]) {
    this.texts = texts;
    this.numbers = numbers;
  }

  get isAtEnd(): boolean {
    const { ok, textAt, numberAt } = this;
    return ok && textAt === this.texts.length && numberAt === this.numbers.length;
  }

  get numbersLeft(): number {
    return this.numbers.length - this.numberAt;
  }

  number(): number {
    const value = this.numbers[this.numberAt];
    this.numberAt += 1;
    if (isNumber(value)) return value;
    this.ok = false;
    return 0;
  }

  count(max: number): number {
    const value = this.number();
    if (Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
    this.ok = false;
    return 0;
  }

  text(): string {
    const from = this.textAt;
    this.textAt = from + this.count(this.texts.length - from);
    return this.texts.slice(from, this.textAt);
  }

  textOrNull(): string | null {
    if (this.numbers[this.numberAt] !== ABSENT) return this.text();
    this.numberAt += 1;
    return null;
  }

  name(): string {
    const text = this.text();
    if (!isName(text)) this.ok = false;
    return text;
  }

  address(): string {
    const text = this.text();
    if (!isAddress(text)) this.ok = false;
    return text;
  }

  addressOrNull(): string | null {
    if (this.numbers[this.numberAt] !== ABSENT) return this.address();
    this.numberAt += 1;
    return null;
  }
}
