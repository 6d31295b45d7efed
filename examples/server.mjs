// One instance of the examples: a web server that says who it is. A process instance is told where
// to listen and what it is called through SWITCHYARD_* variables; nothing else is needed.
import { createServer } from 'node:http';

const { SWITCHYARD_ADDRESS, SWITCHYARD_PORT, SWITCHYARD_INSTANCE } = process.env;
const host = SWITCHYARD_ADDRESS ?? '127.0.0.1';
const port = Number(SWITCHYARD_PORT ?? 8080);
const identity = {
  instance: SWITCHYARD_INSTANCE ?? `pid ${process.pid}`,
  tenant: process.env.SWITCHYARD_TENANT,
  group: process.env.SWITCHYARD_GROUP,
  pid: process.pid,
};

const server = createServer((request, response) => {
  if (request.url === '/healthz') return response.end('ok\n');
  response.setHeader('content-type', 'application/json');
  response.end(`${JSON.stringify({ ...identity, path: request.url })}\n`);
});

server.on('error', (error) => {
  console.error(`cannot listen on ${host}:${port}: ${error.message}`);
  process.exit(1);
});
server.listen(port, host, () => console.log(`serving on ${host}:${port}`));
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
