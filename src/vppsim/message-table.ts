/**
 * The message table of the recorded VPP: 853 names with their ids, in the order in which VPP's hash
 * walks them. `message-table.json` holds one `id name_crc` per line; its golden test regenerates it.
 */
import { readFileSync } from 'node:fs';
import { assert, Defect } from '../../machines/model/assert.js';

const NAME_BYTES = 64;
const ENTRY_BYTES = 2 + NAME_BYTES;
/** Read in place: builds hold code only. */
const SOURCE = new URL('../../../src/vppsim/message-table.json', import.meta.url);

export interface MessageEntry {
  readonly id: number;
  /** Message name and checksum, the key by which clients resolve it. */
  readonly key: string;
}

export const messageTable: readonly MessageEntry[] = readEntries();
const idsByKey = new Map(messageTable.map(({ id, key }) => [key, id]));
const keysById = new Map(messageTable.map(({ id, key }) => [id, key]));

export function idOf(key: string): number {
  const id = idsByKey.get(key);
  if (id === undefined) throw new Defect(`no message ${key} in the table`);
  return id;
}

export function keyOfId(id: number): string | undefined {
  return keysById.get(id);
}

/** The entries as the handshake sends them: u16 id, 64 bytes of name, NUL padded. */
export const encodedTable: Buffer = Buffer.concat(messageTable.map(encodedEntry));

function encodedEntry({ id, key }: MessageEntry): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES);
  entry.writeUInt16BE(id, 0);
  entry.write(key, 2, NAME_BYTES - 1, 'latin1');
  return entry;
}

function readEntries(): readonly MessageEntry[] {
  const lines: unknown = JSON.parse(readFileSync(SOURCE, 'utf8'));
  assert(Array.isArray(lines), 'the message table is a list');
  return lines.map((line: unknown) => {
    const [id, key] = String(line).split(' ');
    assert(key !== undefined && Number(id) > 0, `not a table entry: ${line}`);
    return { id: Number(id), key };
  });
}
