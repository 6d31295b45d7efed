/** A NATS server for a measurement: on loopback, a free port, its files in the measurement's folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../runtime/free-port.js';

export interface Broker {
  readonly url: string;
  close(): Promise<void>;
}

export const HOW_TO_GET_IT =
  'nats-server is not installed: apt-get install nats-server (or put one on PATH)';

export async function startBroker(folder: string): Promise<Broker> {
  const port = await freePort();
  const data = join(folder, 'nats');
  mkdirSync(data);
  const file = join(folder, 'nats.conf');
  const jetstream = `jetstream { store_dir: ${JSON.stringify(data)} }`;
  writeFileSync(file, `listen: 127.0.0.1:${port}\n${jetstream}\n`);
  const child = spawn('nats-server', ['-c', file], { stdio: 'ignore' });
  const failed = once(child, 'error').then(() => Promise.reject(new Error(HOW_TO_GET_IT)));
  failed.catch(() => undefined);
  await Promise.race([listening(port), failed]);
  return {
    url: `127.0.0.1:${port}`,
    close: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

const LOOK_MS = 25;
const LOOKS = 400;

/** Until it greets with INFO, as it does once it serves. */
export async function listening(port: number): Promise<void> {
  for (let look = 0; look < LOOKS; look += 1) {
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error('nats-server does not listen');
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', () => end(true));
    socket.once('error', () => end(false));
  });
}
