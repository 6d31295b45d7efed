/**
 * The process that kill.test.ts kills: commits decision after decision to the file it is given and
 * prints the number of each one that was acknowledged. Continues where the file ends.
 */
import { writeSync } from 'node:fs';
import { cellOf, decisionOf, publishOf, WEB } from '../../contract/store-values.js';
import { openOrThrow } from '../../support/sqlite-scratch.js';

const store = openOrThrow(process.argv[2] ?? '', { durability: 'full' });
const loaded = await store.load(['group']);
let version = loaded.ok ? (loaded.value[0]?.version ?? 0) : 0;
for (let left = 100_000; left > 0; left -= 1) {
  version += 1;
  const cell = cellOf(WEB, version);
  const [outcome] = await store.commit([
    decisionOf(`d-${version}`, { cell, records: [publishOf(WEB)] }),
  ]);
  if (outcome?.ok !== true) process.exit(1);
  writeSync(1, `${version}\n`);
}
