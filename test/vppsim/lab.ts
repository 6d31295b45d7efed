/**
 * What the simulator's tests work with: a simulator in a folder of its own, a client that speaks
 * bare bytes, and an encoder written for the tests alone.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startVppSim, type VppSim, type VppSimOptions } from '../../src/vppsim/simulator.js';
import { repoPath } from '../support/root.js';

export interface CapturedFrame {
  readonly dir: 'tx' | 'rx';
  readonly name: string;
  /** The message, without its frame header. */
  readonly message: Buffer;
  readonly frame: Buffer;
}

/** The session recorded from a running VPP. */
export function capturedFrames(): readonly CapturedFrame[] {
  const lines = readFileSync(repoPath('test/fixtures/vpp-capture.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => {
    const { dir, name, hex } = JSON.parse(line);
    const frame = Buffer.from(hex, 'hex');
    return { dir, name, frame, message: frame.subarray(16) };
  });
}

/** Name with checksum → id, from the recorded handshake. */
export function capturedIds(): ReadonlyMap<string, number> {
  const reply = capturedFrames()[1]?.message ?? Buffer.alloc(0);
  const entries = Array.from({ length: reply.readUInt16BE(18) }, (_, index) => {
    const at = 20 + 66 * index;
    const name = reply.toString('latin1', at + 2, at + 66).split('\0')[0] ?? '';
    return [name, reply.readUInt16BE(at)] as const;
  });
  return new Map(entries);
}

const IDS = capturedIds();
/** The one entry whose key starts with the name and a checksum. */
export function idOf(name: string): number {
  for (const [key, id] of IDS) if (key.slice(0, -9) === name) return id;
  return assert.fail(`no message ${name}`);
}

export function makeFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'vppsim-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface SimLab {
  readonly sim: VppSim;
  open(): Promise<RawClient>;
}

/** A simulator whose clock stands still, and the clients opened on it; all gone afterwards. */
export async function withSim(
  run: (lab: SimLab) => Promise<void>,
  options: Partial<VppSimOptions> = {},
): Promise<void> {
  const folder = makeFolder();
  const path = join(folder.path, 'vpp.sock');
  const sim = await startVppSim({ path, steadyMs: () => 0, ...options });
  const clients: RawClient[] = [];
  try {
    const open = async () => {
      const client = await RawClient.connect(path);
      clients.push(client);
      return client;
    };
    await run({ sim, open });
  } finally {
    for (const client of clients) client.destroy();
    await sim.close();
    folder.remove();
  }
}

/** One connection: sends frames, collects messages. */
export class RawClient {
  readonly socket: Socket;
  /** The handle the handshake gave. */
  index = 0;
  #context = 100;
  #held = Buffer.alloc(0);
  readonly #messages: Buffer[] = [];
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => {});
    socket.on('close', () => this.#wake());
  }

  static async connect(path: string): Promise<RawClient> {
    const socket = connect(path);
    await once(socket, 'connect');
    const client = new RawClient(socket);
    const create = Buffer.alloc(70);
    create.writeUInt16BE(15, 0);
    create.write('test', 6);
    client.send(create);
    const reply = await client.next();
    assert.equal(reply.readUInt16BE(0), 16);
    client.index = reply.readUInt32BE(14);
    return client;
  }

  send(...messages: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(messages.map(framed)));
  }

  /** The next message, in order of arrival. */
  async next(): Promise<Buffer> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.socket.destroyed) return assert.fail('the connection is closed');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async closed(): Promise<void> {
    if (!this.socket.destroyed) await once(this.socket, 'close');
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** A request's head: id, this client's index, a fresh context. */
  head(name: string, bytes: number): Buffer {
    this.#context += 1;
    const message = Buffer.alloc(bytes);
    message.writeUInt16BE(idOf(name), 0);
    message.writeUInt32BE(this.index, 2);
    message.writeUInt32BE(this.#context, 6);
    return message;
  }

  /** Sends a request and returns the return value of its reply. */
  async ask(message: Buffer): Promise<number> {
    this.send(message);
    const reply = await this.next();
    assert.equal(reply.readUInt32BE(2), message.readUInt32BE(6), 'the context comes back');
    return reply.readInt32BE(6);
  }

  /** Sends requests that are not answered, then a ping; returns what came before its reply. */
  async until(...messages: readonly Buffer[]): Promise<readonly Buffer[]> {
    const ping = this.head('control_ping', 10);
    this.send(...messages, ping);
    const before: Buffer[] = [];
    for (;;) {
      const message = await this.next();
      if (message.readUInt16BE(0) === idOf('control_ping_reply')) return before;
      before.push(message);
    }
  }

  #receive(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    while (this.#held.length >= 16 && this.#held.length >= 16 + this.#held.readUInt32BE(8)) {
      const end = 16 + this.#held.readUInt32BE(8);
      this.#messages.push(this.#held.subarray(16, end));
      this.#held = this.#held.subarray(end);
    }
    this.#wake();
  }
}

export function framed(message: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32BE(message.length, 8);
  return Buffer.concat([header, message]);
}
