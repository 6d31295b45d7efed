/**
 * The seed of this run: `SEED=… npm test` repeats a failure; otherwise it comes from the clock, so that
 * every run explores something new. Printed once per test file that uses it.
 */
import { createHash } from 'node:crypto';

let printed = false;

export function seedOfRun(): number {
  const seed = Number(process.env['SEED'] ?? 0) || freshSeed();
  process.env['SEED'] = String(seed);
  if (!printed) console.log(`# seed ${seed} (repeat with SEED=${seed} npm test)`);
  printed = true;
  return seed;
}

function freshSeed(): number {
  return (
    createHash('sha256').update(String(process.hrtime.bigint())).digest().readUInt32BE(0) >>> 1
  );
}
