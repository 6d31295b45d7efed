/**
 * The recorded session with a running VPP: 136 frames, and the message table that VPP sent in it.
 * Read here without the client's own parsers, so that those can be judged by it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { keyOf, MESSAGE_NAMES, type MessageName } from '../../../src/adapters/vpp/messages.js';
import { repoPath } from '../../support/root.js';

export interface CapturedFrame {
  readonly dir: 'tx' | 'rx';
  readonly name: MessageName;
  /** With its header. */
  readonly bytes: Buffer;
  /** Without its header. */
  readonly message: Buffer;
}

const HEADER_BYTES = 16;

export const CAPTURE: readonly CapturedFrame[] = readFileSync(
  repoPath('test', 'fixtures', 'vpp-capture.jsonl'),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => {
    const { dir, name, hex } = JSON.parse(line);
    const bytes = Buffer.from(hex, 'hex');
    return { dir, name, bytes, message: bytes.subarray(HEADER_BYTES) };
  });

export function captured(dir: 'tx' | 'rx', name: MessageName): CapturedFrame {
  const found = CAPTURE.find((frame) => frame.dir === dir && frame.name === name);
  assert.ok(found, `no ${name} was captured`);
  return found;
}

/** Key, `lb_conf_56cd3261`, to id. */
export const CAPTURED_TABLE: ReadonlyMap<string, number> = tableOf(
  captured('rx', 'sockclnt_create_reply').message,
);

function tableOf(reply: Buffer): Map<string, number> {
  const table = new Map<string, number>();
  for (let at = 20; at < reply.length; at += 66) {
    const key = reply.toString('latin1', at + 2, at + 66).replace(/\0+$/, '');
    table.set(key, reply.readUInt16BE(at));
  }
  return table;
}

/** The id a message had in the captured session. */
export function capturedId(name: MessageName): number {
  const id = CAPTURED_TABLE.get(keyOf(name));
  assert.ok(id !== undefined, `${keyOf(name)} is not in the captured table`);
  return id;
}

export const CAPTURED_NAMES: ReadonlyMap<number, MessageName> = new Map(
  MESSAGE_NAMES.map((name) => [capturedId(name), name]),
);
