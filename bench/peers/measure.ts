/** What all peers are measured with: one round to warm up, then a rate; and what is held per actor. */
import { performance } from 'node:perf_hooks';
import { memoryBytes } from '../runtime/memory.js';
import { type Params, param } from '../runtime/probe.js';

const WARM_UP_SHARE = 0.2;

/** Per second, of `hops` things of which `run` does as many as it is told. */
export async function rateOf(
  params: Params,
  run: (count: number) => Promise<void>,
): Promise<number> {
  const count = param(params, 'hops');
  await run(Math.ceil(count * WARM_UP_SHARE));
  const startedAt = performance.now();
  await run(count);
  return count / ((performance.now() - startedAt) / 1_000);
}

export async function heldBytes(
  count: number,
  make: (count: number) => Promise<void> | void,
): Promise<number> {
  await make(Math.ceil(count * WARM_UP_SHARE));
  const before = await memoryBytes();
  await make(count);
  return ((await memoryBytes()) - before) / count;
}
