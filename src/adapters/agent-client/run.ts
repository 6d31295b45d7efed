/**
 * The reference agent: registers, reports, renews, and carries out drains, until it is stopped.
 *
 *   enrol ─► converse ─► renewed, or the link is lost ─► again, after a growing while
 *
 * Input:  where the daemon is, the token, a check of its own health, what to do on a drain. Output: calls.
 * A lost daemon is called again for ever: the instance goes on without it. Only what no second attempt can
 * mend (a token that is refused, an identity that is gone) ends the agent.
 *
 * Rules: [ID-30] pin.ts; [ID-31] session.ts; [ID-32] drains.ts.
 */
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { backoffMs } from '../../policy/backoff.js';
import type { Cancel, Random } from '../../ports/clock.js';
import { readToken } from '../agent-ca/token.js';
import { type CallFailure, connectAgent, type DrainTold, type IdentityAnswer } from './client.js';
import { createDrains } from './drains.js';
import { authorityByPin } from './pin.js';
import { converse, type SessionOptions, type Standing } from './session.js';

export interface AgentOptions extends SessionOptions {
  /** Absent: it has registered before. */
  readonly token?: string;
  readonly random: Random;
  /** What has to be done before the instance may go; resolves when it is. */
  carryOut(drain: DrainTold): Promise<void>;
}

export interface RunningAgent {
  /** Why it ended by itself; undefined: it was stopped. */
  readonly ended: Promise<string | undefined>;
  stop(): void;
}

const RETRY = { baseMs: 1_000, maxMs: 60_000, attempts: 1_000, jitter: 0.25 };

export function runAgent(options: AgentOptions): RunningAgent {
  let stopped = false;
  const { rest, wake } = restless(options);
  let seq = 0;
  const standing: Standing = {
    drains: createDrains({ log: options.log, carryOut: options.carryOut, due: wake }),
    isStopped: () => stopped,
    nextSeq: () => {
      seq += 1;
      return seq;
    },
    rest,
    wake,
  };
  const stop = (): void => {
    stopped = true;
    wake();
  };
  return { ended: live(options, standing), stop };
}

async function live(options: AgentOptions, standing: Standing): Promise<string | undefined> {
  const { clock, log, random, state } = options;
  let identity = state.identity;
  let failures = 0;
  while (!standing.isStopped()) {
    const valid = identity !== undefined && clock.now() < identity.notAfterMs;
    const enrolled = valid && identity !== undefined ? ok(identity) : await enrol(options);
    if (!enrolled.ok && enrolled.failure.kind === 'refused') return enrolled.failure.message;
    if (enrolled.ok) {
      if (enrolled.value !== identity) await state.keep(enrolled.value);
      identity = enrolled.value;
      const end = await converse(options, standing, identity);
      if (end.kind === 'stopped') break;
      if (end.kind === 'renewed') {
        identity = end.identity;
        await state.keep(identity);
        continue;
      }
      // Its certificate is not taken any more: the token may still be.
      if (end.failure.code === 'UNAUTHENTICATED' && options.token !== undefined)
        identity = undefined;
      else if (end.failure.kind === 'refused') return end.failure.message;
      if (end.spoke) failures = 0;
      log.warn({ reason: end.failure.message }, 'the daemon is away');
    } else {
      log.warn({ reason: enrolled.failure.message }, 'the daemon cannot be reached');
    }
    failures += 1;
    await standing.rest(backoffMs(RETRY, failures, random.next()));
  }
  return undefined;
}

const refused = (message: string): Result<never, CallFailure> =>
  fail({ kind: 'refused', code: 'UNAUTHENTICATED', message });

async function enrol({
  server,
  token,
  state,
  clock,
}: AgentOptions): Promise<Result<IdentityAnswer, CallFailure>> {
  if (token === undefined) return refused('it has no identity that is still good, and no token');
  const pin = readToken(token)?.pin;
  if (pin === undefined) return refused('this is no token: it comes with the instance, whole');
  const authority = await authorityByPin(server, pin);
  if (!authority.ok) return fail({ kind: 'away', code: 'UNAVAILABLE', message: authority.failure });
  const client = connectAgent(server, { authority: authority.value }, clock.now);
  try {
    return await client.call<IdentityAnswer>('Register', { token, publicKey: state.publicKey });
  } finally {
    client.close();
  }
}

/** A rest that can be broken off, also before it begins. */
function restless({ clock }: AgentOptions): Pick<Standing, 'rest' | 'wake'> {
  let awake = false;
  let rising: (() => void) | undefined;
  return {
    rest: (delayMs) =>
      new Promise((resolve) => {
        let cancel: Cancel = () => undefined;
        rising = () => {
          awake = false;
          rising = undefined;
          cancel();
          resolve();
        };
        if (awake) return rising();
        cancel = clock.after(delayMs, () => rising?.());
      }),
    wake: () => {
      awake = true;
      rising?.();
    },
  };
}
