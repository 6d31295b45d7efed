/**
 * Runs the example tenant manager:
 *
 *   node dist/examples/tenant-manager/main.js --listen 127.0.0.1:8080 --db tenants.db
 *        [--token SECRET] [--controller NAME]… [--org-controller NAME]… [--cleanup-interval MS]
 *
 * Prints one JSON line when it listens; SIGTERM and SIGINT end it cleanly.
 */
import { parseArgs } from 'node:util';
import { startTenantManager } from './server.js';

const { values } = parseArgs({
  options: {
    listen: { type: 'string', default: '127.0.0.1:8080' },
    db: { type: 'string', default: 'tenant-manager.db' },
    token: { type: 'string' },
    controller: { type: 'string', multiple: true, default: ['switchyard'] },
    'org-controller': { type: 'string', multiple: true },
    'cleanup-interval': { type: 'string', default: '60000' },
  },
});

const colon = values.listen.lastIndexOf(':');
const host = values.listen.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
const port = Number(values.listen.slice(colon + 1));
const cleanupIntervalMs = Number(values['cleanup-interval']);
if (colon < 1 || !Number.isInteger(port) || !(cleanupIntervalMs > 0)) {
  console.error('usage: --listen HOST:PORT --db FILE [--token SECRET] [--cleanup-interval MS]');
  process.exit(64);
}

const manager = await startTenantManager({
  host,
  port,
  file: values.db,
  controllers: {
    project: values.controller,
    org: values['org-controller'] ?? values.controller,
  },
  cleanupIntervalMs,
  ...(values.token === undefined ? {} : { token: values.token }),
});
console.log(JSON.stringify({ listening: manager.url }));

const stop = (): void => void manager.close().then(() => process.exit(0));
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
