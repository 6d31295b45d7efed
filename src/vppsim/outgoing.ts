/**
 * Answers on their way out: in order, each as late as a fault asks for, in VPP's small writes.
 * A client that never reads is cut off at a bound.
 */
import type { Socket } from 'node:net';
import { frameOf, writesOf } from './frames.js';
import { limits } from './limits.js';

interface Late {
  readonly dueMs: number;
  readonly socket: Socket;
  readonly message: Buffer;
}

export interface Outgoing {
  send(socket: Socket, message: Buffer, delayMs: number): void;
  /** Everything still waiting is lost. */
  clear(): void;
}

export function createOutgoing(): Outgoing {
  const waiting: Late[] = [];
  let timer: NodeJS.Timeout | undefined;

  function sendDue(): void {
    timer = undefined;
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const leftMs = next.dueMs - performance.now();
      if (leftMs > 0) {
        timer = setTimeout(sendDue, leftMs);
        return;
      }
      waiting.shift();
      writeFrame(next.socket, next.message);
    }
  }

  return {
    send(socket, message, delayMs) {
      if (delayMs === 0 && waiting.length === 0) {
        writeFrame(socket, message);
        return;
      }
      waiting.push({ dueMs: performance.now() + delayMs, socket, message });
      timer ??= setTimeout(sendDue, delayMs);
    },
    clear() {
      clearTimeout(timer);
      timer = undefined;
      waiting.length = 0;
    },
  };
}

function writeFrame(socket: Socket, message: Buffer): void {
  for (const piece of writesOf(frameOf(message))) socket.write(piece);
  if (socket.writableLength > limits.unreadReplyBytes) socket.destroy();
}
