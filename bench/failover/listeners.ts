/**
 * The backends of the failover bench, a process of its own: one listener for all that stay, on every
 * loopback address, and one for each that is to fail. Tells both ports; `{fail: address}` ends a listener.
 */
import { type AddressInfo, createServer, type Server } from 'node:net';

const [, , ...victims] = process.argv;
const BACKLOG = 4_096;

function listener(): Server {
  return createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.destroy();
  });
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve) => {
    server.listen({ port, host, backlog: BACKLOG }, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

const port = await listen(listener(), '0.0.0.0', 0);
const servers = new Map<string, Server>();
let victimPort = 0;
for (const address of victims) {
  const server = listener();
  servers.set(address, server);
  victimPort = await listen(server, address, victimPort);
}
process.on('message', ({ fail }: { readonly fail: string }) => servers.get(fail)?.close());
process.on('disconnect', () => process.exit());
process.send?.({ port, victimPort });
