/**
 * The way to a clerk: in a thread of its own with a memory and a time limit, so that a hostile or huge
 * file costs a problem and not the daemon; or right here (tests, commands).
 *
 * Every question is answered, or rejected with a sentence: the thread died, or takes too long.
 */
import { Worker } from 'node:worker_threads';
import { type Clerk, createClerk, type Surroundings } from '../../config/clerk.js';
import type { Question } from './clerk-thread.js';
import { lookAround } from './surroundings.js';

export interface ClerkLink {
  ask<M extends keyof Clerk>(
    method: M,
    args: Parameters<Clerk[M]>[0],
  ): Promise<ReturnType<Clerk[M]>>;
  close(): void;
}

const HEAP_MB = 2_048;

export function clerkHere(surroundings?: Surroundings): ClerkLink {
  const clerk = createClerk(surroundings ?? ((config) => lookAround(config, Date.now())));
  return {
    ask: async (method, args) => (clerk[method] as (args: unknown) => never)(args),
    close: () => undefined,
  };
}

interface Asked {
  readonly resolve: (answer: never) => void;
  readonly reject: (reason: Error) => void;
  readonly limit: NodeJS.Timeout;
}

/** A large file goes to its reader as it is: a copy would hold up this thread. */
function handedOver(args: unknown): readonly ArrayBuffer[] {
  const { bytes } = (args ?? {}) as { readonly bytes?: unknown };
  if (!(bytes instanceof Uint8Array) || !(bytes.buffer instanceof ArrayBuffer)) return [];
  // Small ones may lie in a buffer that others share.
  return bytes.byteLength > HANDED_OVER_MIN ? [bytes.buffer] : [];
}

/** More than Node gives away of one pool. */
const HANDED_OVER_MIN = 65_536;

export function clerkInThread(timeLimitMs: number): ClerkLink {
  const thread = new Worker(new URL('./clerk-thread.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    env: {},
  });
  const asked = new Map<number, Asked>();
  let lastId = 0;
  let over: string | undefined;

  const end = (reason: string): void => {
    over ??= reason;
    for (const { reject, limit } of asked.values()) {
      clearTimeout(limit);
      reject(new Error(over));
    }
    asked.clear();
    void thread.terminate();
  };

  thread.on('message', ({ id, answer }: { readonly id: number; readonly answer: never }) => {
    const found = asked.get(id);
    if (found === undefined) return;
    asked.delete(id);
    clearTimeout(found.limit);
    found.resolve(answer);
  });
  thread.once('error', (error) => end(`cannot be parsed: ${error.message}`));
  thread.once('exit', () => end('cannot be parsed: the parser stopped'));
  return {
    ask: (method, args) =>
      new Promise((resolve, reject) => {
        if (over !== undefined) return reject(new Error(over));
        lastId += 1;
        const limit = setTimeout(() => end('takes too long to parse'), timeLimitMs);
        asked.set(lastId, { resolve, reject, limit });
        thread.postMessage({ id: lastId, method, args } satisfies Question, handedOver(args));
      }),
    close: () => end('closed'),
  };
}
