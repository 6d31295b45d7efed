/**
 * A listening unix socket that can be closed at once, its connections included. Node removes the
 * socket file when the listener is closed, and leaves it when the process dies, as VPP does.
 */
import { chmodSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { fail, ok, type Result } from '../../machines/model/result.js';
import type { SocketRefusal } from './socket-path.js';

export interface Listener {
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly path: string;
  readonly mode: number;
  readonly onConnection: (socket: Socket) => void;
}

export function listen(options: ListenOptions): Promise<Result<Listener, SocketRefusal>> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    options.onConnection(socket);
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of open) socket.destroy();
    });
  return new Promise((resolve) => {
    server.once('error', (error) => {
      const message = `Cannot listen on ${options.path}: ${error.message}.`;
      resolve(fail({ code: 'unavailable', message }));
    });
    server.listen(options.path, () => {
      chmodSync(options.path, options.mode);
      resolve(ok({ close }));
    });
  });
}
