/**
 * The API socket's connections: bytes in, messages to the engine, answers out. While frozen nothing
 * is read, as when VPP's main thread is stuck.
 */
import type { Socket } from 'node:net';
import type { Answer } from './dispatch.js';
import type { Engine } from './engine.js';
import { emptySplitter, splitFrames } from './frames.js';
import { createOutgoing } from './outgoing.js';

export interface Clients {
  accept(socket: Socket): void;
  freeze(forMs: number): void;
  /** Cuts every connection, without farewell. */
  cutAll(): void;
}

export function createClients(engine: Engine, onDeath: () => void): Clients {
  const sockets = new Map<number, Socket>();
  const outgoing = createOutgoing();
  let thaw: NodeJS.Timeout | undefined;

  function deliver(answer: Answer): void {
    const socket = sockets.get(answer.kind === 'close' ? answer.handle : answer.to);
    if (socket === undefined) return;
    if (answer.kind === 'close') {
      sockets.delete(answer.handle);
      socket.end();
    } else {
      outgoing.send(socket, answer.message, engine.faults().answerLateMs);
    }
  }

  function accept(socket: Socket): void {
    const handle = engine.accept();
    let splitter = emptySplitter;
    sockets.set(handle, socket);
    socket.on('data', (chunk: Buffer) => {
      const split = splitFrames(splitter, chunk);
      splitter = split.splitter;
      for (const message of split.messages) {
        for (const answer of engine.receive(handle, message)) deliver(answer);
      }
      if (engine.death() !== undefined) onDeath();
    });
    if (thaw !== undefined) socket.pause();
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
      clearTimeout(thaw);
      for (const socket of sockets.values()) socket.pause();
      thaw = setTimeout(() => {
        thaw = undefined;
        for (const socket of sockets.values()) socket.resume();
      }, forMs);
    },
    cutAll() {
      clearTimeout(thaw);
      thaw = undefined;
      outgoing.clear();
      const open = [...sockets.values()];
      sockets.clear();
      for (const socket of open) socket.destroy();
    },
  };
}
