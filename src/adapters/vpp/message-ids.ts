/**
 * Which number a message has on this connection, from the table VPP sends in its handshake.
 *
 * Input: the table's entries. Output: ids both ways, and what this VPP does not know.
 *
 * [VP-5] A message is known by its name and CRC together: the same name with another CRC is another
 * message. A table that gives one of our messages two numbers, or two of them one, is refused.
 */
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { TableEntry } from './kinds.js';
import { HANDSHAKE_IDS, keyOf, MESSAGE_NAMES, type MessageName } from './messages.js';

export interface MessageIds {
  readonly idOf: ReadonlyMap<MessageName, number>;
  readonly nameOf: ReadonlyMap<number, MessageName>;
}

/** Before the handshake only its own two messages have a number. */
export const HANDSHAKE: MessageIds = idsFrom(
  Object.entries(HANDSHAKE_IDS) as readonly (readonly [MessageName, number])[],
);

export function resolveIds(table: readonly TableEntry[]): Result<MessageIds, string> {
  const wanted = new Map(MESSAGE_NAMES.map((name) => [keyOf(name), name]));
  const found: (readonly [MessageName, number])[] = [];
  for (const { id, name: key } of table) {
    const name = wanted.get(key);
    if (name !== undefined) found.push([name, id]);
  }
  const ids = idsFrom(found);
  const unambiguous = ids.idOf.size === found.length && ids.nameOf.size === found.length;
  return unambiguous ? ok(ids) : fail('the message table is ambiguous');
}

function idsFrom(pairs: readonly (readonly [MessageName, number])[]): MessageIds {
  return { idOf: new Map(pairs), nameOf: new Map(pairs.map(([name, id]) => [id, name])) };
}

/** Keys of the messages in `names` that this VPP does not have. */
export function missingFrom(ids: MessageIds, names: readonly MessageName[]): readonly string[] {
  return names.filter((name) => !ids.idOf.has(name)).map(keyOf);
}
