/**
 * The API socket's connections: bytes in, messages to the engine, frames out.
 *
 * Answers leave in order, each after the delay that a fault may ask for; while frozen nothing is
 * read, as when VPP's main thread is stuck. A client that never reads is cut off at a bound.
 */
import type { Socket } from 'node:net';
import type { Answer, Engine } from './engine.js';
import { emptySplitter, frameOf, splitFrames, writesOf } from './frames.js';
import { limits } from './limits.js';

interface Late {
  readonly dueMs: number;
  readonly socket: Socket;
  readonly message: Buffer;
}

export interface Clients {
  accept(socket: Socket): void;
  freeze(forMs: number): void;
  /** Cuts every connection, without farewell. */
  cutAll(): void;
}

export function createClients(engine: Engine, onDeath: () => void): Clients {
  const sockets = new Map<number, Socket>();
  const late: Late[] = [];
  let lateTimer: NodeJS.Timeout | undefined;
  let freezeTimer: NodeJS.Timeout | undefined;

  function send(socket: Socket, message: Buffer): void {
    for (const piece of writesOf(frameOf(message))) socket.write(piece);
    if (socket.writableLength > limits.unreadReplyBytes) socket.destroy();
  }

  function sendInTurn(socket: Socket, message: Buffer): void {
    const delayMs = engine.faults().answerLateMs;
    if (delayMs === 0 && late.length === 0) return send(socket, message);
    late.push({ dueMs: performance.now() + delayMs, socket, message });
    lateTimer ??= setTimeout(sendDue, delayMs);
  }

  function sendDue(): void {
    lateTimer = undefined;
    const nowMs = performance.now();
    while (late[0] !== undefined && late[0].dueMs <= nowMs) {
      const { socket, message } = late[0];
      late.shift();
      send(socket, message);
    }
    if (late[0] !== undefined) lateTimer = setTimeout(sendDue, late[0].dueMs - nowMs);
  }

  function deliver(answer: Answer): void {
    const socket = sockets.get(answer.kind === 'close' ? answer.handle : answer.to);
    if (socket === undefined) return;
    if (answer.kind !== 'close') return sendInTurn(socket, answer.message);
    sockets.delete(answer.handle);
    socket.end();
  }

  function accept(socket: Socket): void {
    const handle = engine.accept();
    let splitter = emptySplitter;
    sockets.set(handle, socket);
    if (freezeTimer !== undefined) socket.pause();
    socket.on('data', (chunk: Buffer) => {
      const split = splitFrames(splitter, chunk);
      splitter = split.splitter;
      for (const message of split.messages) {
        for (const answer of engine.receive(handle, message)) deliver(answer);
      }
      if (engine.death() !== undefined) onDeath();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      // A closed registration may belong to the next client already.
      if (sockets.get(handle) !== socket) return;
      sockets.delete(handle);
      engine.hangUp(handle);
    });
  }

  return {
    accept,
    freeze(forMs) {
      clearTimeout(freezeTimer);
      for (const socket of sockets.values()) socket.pause();
      freezeTimer = setTimeout(() => {
        freezeTimer = undefined;
        for (const socket of sockets.values()) socket.resume();
      }, forMs);
    },
    cutAll() {
      clearTimeout(freezeTimer);
      clearTimeout(lateTimer);
      freezeTimer = undefined;
      lateTimer = undefined;
      late.length = 0;
      const open = [...sockets.values()];
      sockets.clear();
      for (const socket of open) socket.destroy();
    },
  };
}
