/**
 * Entry of the short-lived thread that has one configuration file before it: questions in, one answer
 * each. What a question throws ends the thread, and is the answer to all that wait.
 */
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { assert } from '../../../machines/model/assert.js';
import { type Clerk, createClerk } from '../../config/clerk.js';
import { lookAround } from './surroundings.js';

export interface Question {
  readonly id: number;
  readonly method: keyof Clerk;
  readonly args: unknown;
}

/** It may calculate for many seconds: whoever has an event to answer goes first. */
const NICENESS = 5;

try {
  // Of the calling thread alone, where threads have priorities of their own.
  if (process.platform === 'linux') setPriority(NICENESS);
} catch {
  // Where that is not allowed it works all the same.
}

const port = parentPort;
assert(port !== null, 'the clerk works in a thread of its own');
const clerk = createClerk((config) => lookAround(config, Date.now()));
port.on('message', ({ id, method, args }: Question) => {
  const answer = (clerk[method] as (args: unknown) => unknown)(args);
  port.postMessage({ id, answer });
});
