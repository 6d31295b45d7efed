/**
 * A scripted peer on a unix socket: speaks raw bytes like VPP, and misbehaves on demand. It answers
 * everything with success and empty dumps, unless an answer is scripted. It knows nothing of VIPs:
 * that is the simulator's business.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from '../../../src/adapters/vpp/codec.js';
import { KINDS, type Kind } from '../../../src/adapters/vpp/kinds.js';
import {
  keyOf,
  MESSAGE_NAMES,
  MESSAGES,
  type MessageName,
  REPLY_OF,
} from '../../../src/adapters/vpp/messages.js';
import { CAPTURED_NAMES, capturedId } from './capture.js';

const HEADER_BYTES = 16;
const ENCAPS = ['gre4', 'gre6', 'l3dsr', 'nat4', 'nat6'];

export type Fields = Readonly<Record<string, unknown>>;

export interface Request {
  readonly name: MessageName;
  readonly context: number;
  readonly fields: Fields;
}

/** Frames to write, at once and in one piece; none: silence. */
export type Answer = (request: Request, peer: Peer) => readonly Buffer[];

export type Answers = Partial<Record<MessageName, Answer>>;

export interface Script {
  readonly answers?: Answers;
  /** Keys of the message table; default: all of ours. */
  readonly keys?: readonly string[];
  /** Bytes per write. */
  readonly pieceBytes?: number;
}

export interface Peer {
  readonly path: string;
  /** Everything received, oldest first. */
  readonly requests: Request[];
  /** Writes to the newest connection. */
  send(...frames: readonly Buffer[]): void;
  /** Ends the newest connection. */
  hangUp(): void;
  close(): Promise<void>;
}

export async function startPeer(script: Script = {}): Promise<Peer> {
  const folder = await mkdtemp(join(tmpdir(), 'vpp-peer-'));
  const path = join(folder, 'api.sock');
  const sockets: Socket[] = [];
  const answers = { ...defaults(script.keys), ...script.answers };
  const peer: Peer = {
    path,
    requests: [],
    send: (...frames) => write(sockets.at(-1), Buffer.concat(frames), script.pieceBytes),
    hangUp: () => void sockets.at(-1)?.destroy(),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    const parse = requestParser();
    socket.on('data', (piece) => {
      for (const request of parse(piece)) {
        peer.requests.push(request);
        const frames = answers[request.name]?.(request, peer) ?? [];
        write(socket, Buffer.concat(frames), script.pieceBytes);
      }
    });
  });
  await listening(server, path);
  return peer;
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve) => server.listen(path, resolve));
}

function write(socket: Socket | undefined, bytes: Buffer, pieceBytes = bytes.length): void {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    socket?.write(bytes.subarray(at, at + pieceBytes));
  }
}

function requestParser(): (piece: Buffer) => Request[] {
  let waiting = Buffer.alloc(0);
  return (piece) => {
    waiting = Buffer.concat([waiting, piece]);
    const requests: Request[] = [];
    while (waiting.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + waiting.readUInt32BE(8);
      if (waiting.length < end) break;
      requests.push(parseRequest(waiting.subarray(HEADER_BYTES, end)));
      waiting = waiting.subarray(end);
    }
    return requests;
  };
}

function parseRequest(message: Buffer): Request {
  const name = CAPTURED_NAMES.get(message.readUInt16BE(0));
  if (name === undefined) throw new Error('the client sent an unknown id');
  const decoded = decode(name, message);
  if (!decoded.ok) throw new Error(`the client sent nonsense: ${decoded.failure}`);
  return { name, context: decoded.value.context, fields: decoded.value };
}

/** What VPP would say to a request whose dump, or state, is empty. */
function defaults(keys: readonly string[] | undefined): Answers {
  const answers: Answers = {};
  for (const reply of Object.values(REPLY_OF)) {
    const request = reply.slice(0, -'_reply'.length) as MessageName;
    answers[request] = ({ context }) => [served(reply, { context })];
  }
  answers.sockclnt_create = ({ context }) => [handshakeReply(context, keys)];
  return answers;
}

export const ALL_KEYS: readonly string[] = MESSAGE_NAMES.map(keyOf);

export function handshakeReply(context: number, keys = ALL_KEYS, change: Fields = {}): Buffer {
  const table = keys.map((key) => {
    const name = MESSAGE_NAMES.find((some) => keyOf(some) === key);
    return { id: name === undefined ? 4000 : capturedId(name), name: key };
  });
  const handle = { index: 0x8000_0001, message_table: table };
  return served('sockclnt_create_reply', { context, ...handle, ...change });
}

const FILLER: Readonly<Record<string, unknown>> = {
  bool: false,
  ip4: '255.255.255.255',
  ip6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  address: '0.0.0.0',
  text32: 'v1',
  text64: '',
  text256: '',
  encap: 'gre4',
  messageTable: [],
};

/** A frame as VPP sends it, with the pointer it leaks in the header. Absent fields are filled in. */
export function served(name: MessageName, fields: Fields): Buffer {
  const parts = Object.entries(MESSAGES[name].fields).map(([field, kindName]) => {
    const value = fields[field] ?? FILLER[kindName] ?? (field === 'vpe_pid' ? 4711 : 0);
    if (kindName === 'messageTable') return tableBytes(value as { id: number; name: string }[]);
    const kind: Kind<unknown> = KINDS[kindName];
    const bytes = Buffer.alloc(kind.size);
    if (kindName === 'encap') bytes.writeUInt32BE(encapNumber(value));
    else kind.write(bytes, 0, value);
    return bytes;
  });
  return framed(Buffer.concat([u16(capturedId(name)), ...parts]));
}

/** Any encapsulation, also those that the client cannot write, or a number of none. */
function encapNumber(value: unknown): number {
  return typeof value === 'number' ? value : ENCAPS.indexOf(String(value));
}

export function framed(message: Buffer, length = message.length): Buffer {
  const header = Buffer.from('c004053001000000000000000badcafe', 'hex');
  header.writeUInt32BE(length, 8);
  return Buffer.concat([header, message]);
}

function tableBytes(entries: readonly { id: number; name: string }[]): Buffer {
  const parts = entries.map(({ id, name }) => {
    const text = Buffer.alloc(64);
    text.write(name, 'latin1');
    return Buffer.concat([u16(id), text]);
  });
  return Buffer.concat([u16(entries.length), ...parts]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
