/** The prober's contract on the real adapter, against servers on loopback, and on the scripted fake. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ProberOptions } from '../../src/adapters/probe/prober.js';
import { openRoutedProber } from '../../src/adapters/probe/routed.js';
import { openTcp } from '../../src/adapters/probe/tcp-handle.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { fakeProber } from '../support/fake-prober.js';
import { type Behaviour, type ProberLab, proberContract } from './prober.js';

/** What is written to a client that connected or asked; `undefined` closes without a word. */
function speak(behaviour: Behaviour, socket: Socket): void {
  switch (behaviour.kind) {
    case 'answers': {
      const { status, body } = behaviour;
      const head = `HTTP/1.1 ${status} Said\r\nlocation: /elsewhere\r\n`;
      const text =
        status === 204 ? `${head}\r\n` : `${head}content-length: ${body.length}\r\n\r\n${body}`;
      return void socket.once('data', () => socket.write(text));
    }
    case 'breaks-off':
      return void socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"ok": true}'),
      );
    case 'hangs-up':
      return void socket.once('data', () => socket.end());
    case 'talks-nonsense':
      return void socket.once('data', () => socket.end('good morning\r\n\r\n'));
    case 'silent':
    case 'refuses':
      return undefined;
  }
}

for (const [name, options] of [
  ['prober', {}],
  ['prober on plain sockets', { tcp: openTcp() }],
  ['prober over node:net alone', { tcp: undefined }],
] as const) {
  proberContract(name, () => lab(options));
}

async function lab(options: Pick<ProberOptions, 'tcp'>): Promise<ProberLab> {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const prober = openRoutedProber({
    clock: systemClock(),
    userAgent: 'switchyard/test',
    ...options,
  });
  return {
    prober,
    target: async (behaviour) => {
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => undefined);
        speak(behaviour, socket);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      if (behaviour.kind === 'refuses') await closed(server);
      else servers.push(server);
      return { address: '127.0.0.1', port };
    },
    close: async () => {
      prober.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map(closed));
    },
  };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

proberContract('fake prober', () => {
  const prober = fakeProber();
  const target = { address: '10.0.0.1', port: 80 };
  return Promise.resolve({
    prober,
    target: (behaviour) => {
      prober.behave(target, behaviour);
      return Promise.resolve(target);
    },
    close: () => Promise.resolve(),
  });
});
