/** What is probed: a process of its own that accepts and closes. Tells its port when it listens. */
import { type AddressInfo, createServer } from 'node:net';

const server = createServer({ pauseOnConnect: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.destroy();
});
/** Nobody is to wait in the queue of a busy moment. */
const BACKLOG = 4_096;
server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('disconnect', () => process.exit());
