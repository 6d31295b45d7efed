/**
 * A prober by script: each target behaves as told, and can be told otherwise at any time. Codes are
 * those of the real adapter (both run test/contract/prober.ts).
 */
import type { HealthCheckSpec } from '../../machines/model/desired.js';
import type { ProbeResult } from '../../machines/model/messages.js';
import { compilePattern } from '../../src/policy/pattern.js';
import type { Clock } from '../../src/ports/clock.js';
import type { Prober, ProbeTarget } from '../../src/ports/prober.js';
import type { Behaviour } from '../contract/prober.js';

export interface FakeProber extends Prober {
  /** Until told otherwise; a target nobody spoke of refuses. */
  behave(target: ProbeTarget, behaviour: Behaviour): void;
  /** From now on its probes find no answer, until `release` lets the waiting ones have theirs. */
  hold(target: ProbeTarget): void;
  release(target: ProbeTarget): void;
  /** From now on a target that says nothing costs its check's timeout; before, none of it passes. */
  keepTime(clock: Clock): void;
  /** Every probe so far, in order, as `address:port`. */
  readonly probes: readonly string[];
}

export const HEALTHY: Behaviour = { kind: 'answers', status: 200, body: 'ok' };

type Judged = Pick<ProbeResult, 'passed' | 'code' | 'detail'>;

export function fakeProber(): FakeProber {
  const behaviours = new Map<string, Behaviour>();
  const probes: string[] = [];
  const held = new Map<string, (() => void)[]>();
  let time: Clock | undefined;
  return {
    probes,
    keepTime: (clock) => {
      time = clock;
    },
    hold: (target) => void held.set(keyOf(target), []),
    release: (target) => {
      const waiting = held.get(keyOf(target)) ?? [];
      held.delete(keyOf(target));
      for (const answer of waiting) answer();
    },
    behave: (target, behaviour) => void behaviours.set(keyOf(target), behaviour),
    probe: async (target, check) => {
      probes.push(keyOf(target));
      const waiting = held.get(keyOf(target));
      if (waiting !== undefined) await new Promise<void>((resolve) => waiting.push(resolve));
      const behaviour = behaviours.get(keyOf(target)) ?? { kind: 'refuses' };
      const judged = judge(behaviour, check);
      const positive = judged.code === 'L4CON';
      if (judged.code.endsWith('TOUT')) await pause(time, check.timeoutMs);
      return { ...judged, positive, durationMs: 1, late: false };
    },
  };
}

function pause(clock: Clock | undefined, durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (clock === undefined) resolve();
    else clock.after(durationMs, resolve);
  });
}

function keyOf({ address, port }: ProbeTarget): string {
  return `${address}:${port}`;
}

function no(code: string): Judged {
  return { passed: false, code, detail: `scripted ${code}` };
}

function yes(code: string): Judged {
  return { passed: true, code, detail: `scripted ${code}` };
}

function judge(behaviour: Behaviour, check: HealthCheckSpec): Judged {
  const malformed = !compilePattern(check.bodyMatches ?? '').ok;
  // It has one network namespace, its own; and whatever a host does to its ports, it answers an echo.
  if (check.netns !== undefined) return no('SOCKERR');
  if (malformed) return no('UNSUPPORTED');
  if (check.type === 'icmp') return yes('L3OK');
  if (behaviour.kind === 'refuses') return no('L4CON');
  if (check.type === 'tcp') return yes('L4OK');
  if (behaviour.kind === 'silent') return no(check.type === 'https' ? 'L6TOUT' : 'L7TOUT');
  if (behaviour.kind === 'talks-nonsense') return no(check.type === 'https' ? 'L6RSP' : 'L7RSP');
  if (behaviour.kind !== 'answers') return no('L7RSP');
  const { status, body } = behaviour;
  const wanted = check.status.some(({ from, to }) => status >= from && status <= to);
  if (!wanted) return no('L7STS');
  const pattern = compilePattern(check.bodyMatches ?? '');
  return pattern.ok && pattern.value(body) ? yes('L7OK') : no('L7RSP');
}
