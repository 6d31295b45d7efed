/**
 * Faults on command: what the simulator does wrong on purpose, and when.
 *
 * Input: commands as newline JSON, one key each. Output: counters that count down with every reply
 * or state-changing request, pure.
 */
import { z } from 'zod';
import { limits } from './limits.js';

const count = z.int().min(1);
const delayMs = z.int().min(0).max(limits.faultDelayMs);

/** One key per command; what each does stands in `control.ts`. */
const commands = z.union([
  z.strictObject({ die: z.literal(true) }),
  z.strictObject({ restartEmpty: z.literal(true), samePid: z.boolean().optional() }),
  z.strictObject({ answerLateMs: delayMs }),
  z.strictObject({ freezeMs: delayMs }),
  z.strictObject({ dropNthReply: count }),
  z.strictObject({ failNthRequest: z.strictObject({ n: count, retval: z.int().max(-1) }) }),
  z.strictObject({ advanceS: z.int().min(0).max(limits.advanceS) }),
  z.strictObject({
    pin: z.strictObject({ vip: z.string(), as: z.string(), flows: z.int().min(0) }),
  }),
  z.strictObject({ state: z.literal(true) }),
]);

export type ControlCommand = z.infer<typeof commands>;

/** `undefined` for what is no command. */
export function parseCommand(input: unknown): ControlCommand | undefined {
  return commands.safeParse(input).data;
}

export interface Faults {
  /** Every answer waits this long. */
  readonly answerLateMs: number;
  /** 1: the next reply is lost. 0: none is. */
  readonly dropReplyIn: number;
  /** 1: the next state-changing request is answered `failRetval` and not executed. */
  readonly failRequestIn: number;
  readonly failRetval: number;
}

export const noFaults: Faults = {
  answerLateMs: 0,
  dropReplyIn: 0,
  failRequestIn: 0,
  failRetval: 0,
};

/** Counts one reply. */
export function nextReply(faults: Faults): { readonly faults: Faults; readonly lost: boolean } {
  const dropReplyIn = Math.max(0, faults.dropReplyIn - 1);
  return { faults: { ...faults, dropReplyIn }, lost: faults.dropReplyIn === 1 };
}

/** Counts one state-changing request. */
export function nextRequest(faults: Faults): {
  readonly faults: Faults;
  readonly forcedRetval: number | undefined;
} {
  const failRequestIn = Math.max(0, faults.failRequestIn - 1);
  const forcedRetval = faults.failRequestIn === 1 ? faults.failRetval : undefined;
  return { faults: { ...faults, failRequestIn }, forcedRetval };
}
