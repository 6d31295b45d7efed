/**
 * One connection of an agent, from its first report to its end: reports every interval, follows the drain,
 * renews in time.
 *
 * Rules: [ID-31] reports of one start have rising numbers over all its connections.
 */
import type { Clock } from '../../ports/clock.js';
import type { Log } from '../../ports/log.js';
import { type AgentClient, type CallFailure, connectAgent, type IdentityAnswer } from './client.js';
import type { Drains } from './drains.js';
import type { Place } from './pin.js';
import type { AgentState } from './state-dir.js';

export interface Health {
  readonly healthy: boolean;
  readonly detail: string;
}

export interface SessionOptions {
  readonly server: Place;
  readonly state: AgentState;
  /** Absent: as the daemon says. */
  readonly intervalMs?: number;
  readonly clock: Clock;
  readonly log: Log;
  check(): Promise<Health>;
}

/** What outlives a connection. */
export interface Standing {
  readonly drains: Drains;
  readonly isStopped: () => boolean;
  nextSeq(): number;
  /** Resolves after so long, or as soon as there is something to do. */
  rest(delayMs: number): Promise<void>;
  /** There is something to do. */
  wake(): void;
}

export type SessionEnd =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'renewed'; readonly identity: IdentityAnswer }
  | { readonly kind: 'ended'; readonly failure: CallFailure; readonly spoke: boolean };

export async function converse(
  options: SessionOptions,
  standing: Standing,
  identity: IdentityAnswer,
): Promise<SessionEnd> {
  const { clock, server, state } = options;
  const { authority, certificate } = identity;
  const shown = { authority, own: { certificate, key: state.key } };
  const client = connectAgent(server, shown, clock.now);
  let ended: CallFailure | undefined;
  const end = (failure: CallFailure | undefined): void => {
    ended ??= failure ?? { kind: 'away', code: 'OK', message: 'the daemon ended the connection' };
    standing.wake();
  };
  const pipe = client.report(end);
  client.watchDrain(standing.drains.heard, end);
  const beganMs = clock.monotonic();
  const intervalMs = options.intervalMs ?? identity.reportIntervalMs;
  let dueMs = beganMs;
  try {
    for (;;) {
      if (standing.isStopped()) return { kind: 'stopped' };
      const spoke = clock.monotonic() - beganMs > intervalMs;
      if (ended !== undefined) return { kind: 'ended', failure: ended, spoke };
      if (clock.now() >= identity.renewAtMs) {
        const renewed = await client.call<IdentityAnswer>('Renew', {});
        if (renewed.ok) return { kind: 'renewed', identity: renewed.value };
        return { kind: 'ended', failure: renewed.failure, spoke };
      }
      if (standing.drains.isDue) await acknowledge(client, standing.drains, options.log);
      if (clock.monotonic() >= dueMs) {
        dueMs = clock.monotonic() + intervalMs;
        const { healthy, detail } = await options.check();
        pipe.send({ boot: state.boot, seq: standing.nextSeq(), healthy, detail });
      }
      const renewInMs = Math.max(0, identity.renewAtMs - clock.now());
      await standing.rest(Math.min(Math.max(0, dueMs - clock.monotonic()), renewInMs));
    }
  } finally {
    pipe.end();
    client.close();
  }
}

/** A refusal is an answer, too: there is nothing left to acknowledge. */
async function acknowledge(client: AgentClient, drains: Drains, log: Log): Promise<void> {
  const answer = await client.call('AcknowledgeDrained', {});
  if (!answer.ok && answer.failure.kind === 'away') return;
  drains.acknowledged();
  if (answer.ok) log.info({}, 'the drain is acknowledged');
  else log.warn({ reason: answer.failure.message }, 'there was no drain to acknowledge');
}
