/** A node on the database named on the command line: a command per line in, a report per line out. */
import { createInterface } from 'node:readline';
import { outageNode } from '../../support/outage-node.js';
import { openOrThrow } from '../../support/sqlite-scratch.js';

const node = await outageNode(openOrThrow(process.argv[2] ?? ''));
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const report = await node.act(JSON.parse(line));
  process.stdout.write(`${JSON.stringify(report ?? null)}\n`);
}
process.exit(0);
