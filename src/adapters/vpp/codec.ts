/**
 * Encodes and decodes any message of the tables. A message is its u16 id and its fields, packed.
 *
 * [VP-1] Decoding what was encoded gives the same fields, and the other way round. [VP-3] A message of
 * another length than its table says, or with a value outside its kind, is refused with a sentence.
 */
import { assert } from '../../../machines/model/assert.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { KINDS, type Kind } from './kinds.js';
import {
  type FieldsOf,
  MESSAGE_NAMES,
  MESSAGES,
  type MessageName,
  SENDABLE,
  type SendableName,
} from './messages.js';

const ID_BYTES = 2;

interface Layout {
  readonly fields: readonly {
    readonly name: string;
    readonly at: number;
    readonly kind: Kind<unknown>;
  }[];
  readonly size: number;
  /** Ends in a table, whose kind checks the length. */
  readonly open: boolean;
}

const LAYOUTS = Object.fromEntries(MESSAGE_NAMES.map((name) => [name, layoutOf(name)])) as Readonly<
  Record<MessageName, Layout>
>;

function layoutOf(name: MessageName): Layout {
  let size = ID_BYTES;
  let open = false;
  const fields = Object.entries(MESSAGES[name].fields).map(([field, kindName]) => {
    const kind: Kind<unknown> = KINDS[kindName];
    const at = size;
    size += kind.size;
    open ||= kindName === 'messageTable';
    return { name: field, at, kind };
  });
  return { fields, size, open };
}

/** Bytes of a message with its id, without its frame header; of a table, without its entries. */
export function sizeOf(name: MessageName): number {
  return LAYOUTS[name].size;
}

/** Where a field begins, counted from the id. */
export function offsetOf<N extends MessageName>(name: N, field: keyof FieldsOf<N>): number {
  const found = LAYOUTS[name].fields.find((one) => one.name === field);
  assert(found !== undefined, `${name} has no such field`);
  return found.at;
}

export function encode<N extends SendableName>(name: N, id: number, fields: FieldsOf<N>): Buffer {
  assert(SENDABLE.has(name), `${name} is never sent`);
  const layout = LAYOUTS[name];
  const values: Readonly<Record<string, unknown>> = fields;
  const message = Buffer.alloc(layout.size);
  message.writeUInt16BE(id, 0);
  for (const { name: field, at, kind } of layout.fields) kind.write(message, at, values[field]);
  return message;
}

/** A sentence when a message of this name cannot have so many bytes. */
export function misfitOf(name: MessageName, length: number): string | undefined {
  const { open, size } = LAYOUTS[name];
  if (open ? length >= size : length === size) return undefined;
  return `${name} has ${length} bytes instead of ${size}`;
}

/** Does not look at the id: the caller found `name` by it. */
export function decode<N extends MessageName>(
  name: N,
  message: Buffer,
): Result<FieldsOf<N>, string> {
  const layout = LAYOUTS[name];
  const misfit = misfitOf(name, message.length);
  if (misfit !== undefined) return fail(misfit);
  const values: Record<string, unknown> = {};
  for (const { name: field, at, kind } of layout.fields) {
    const value = kind.read(message, at);
    if (value === undefined) return fail(`${name} has an impossible ${field}`);
    values[field] = value;
  }
  return ok(values as FieldsOf<N>);
}
