/** A unix socket whose process lives and does not accept: the kernel turns everybody away. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const SERVER = `require('node:net').createServer()
  .listen({ path: process.argv[1], backlog: 1 }, () => console.log('there'))`;

/** Answers, once nobody gets in any more, with how to end it; the file stays. */
export async function busySocket(path: string): Promise<() => Promise<void>> {
  const stuck = spawn(process.execPath, ['-e', SERVER, path], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(stuck.stdout, 'data');
  stuck.kill('SIGSTOP');
  const waiting: Socket[] = [];
  await new Promise<void>((resolve) => {
    const knock = (): void => {
      const socket = connect(path);
      waiting.push(socket);
      socket.once('connect', knock);
      socket.once('error', () => resolve());
    };
    knock();
  });
  return async () => {
    for (const socket of waiting) socket.destroy();
    stuck.kill('SIGKILL');
    await once(stuck, 'exit');
  };
}
