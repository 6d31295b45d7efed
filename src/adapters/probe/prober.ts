/**
 * The prober of the real world: TCP, HTTP and HTTPS checks by Node's own sockets.
 *
 * Input: a target and its check. Output: always a result, within the check's timeout plus one turn of
 * the event loop; `late` when that loop was itself late by more than half of the timeout.
 *
 * In this process's network namespace, and without `icmp` unless it is given an engine for it: what
 * needs another process is sent there by routed.ts.
 */
import type { HealthCheckSpec } from '../../../machines/model/desired.js';
import type { ProbeResult } from '../../../machines/model/messages.js';
import { ok, type Result } from '../../../machines/model/result.js';
import { compilePattern, type Pattern } from '../../policy/pattern.js';
import type { PatternFailure } from '../../policy/pattern-syntax.js';
import type { Clock } from '../../ports/clock.js';
import type { Prober, ProbeTarget } from '../../ports/prober.js';
import { type Attempt, attempt } from './attempt.js';
import { connectTcp, secure } from './connect.js';
import { exchange } from './http.js';
import { createLagWatch, type LagWatch } from './lag-watch.js';
import { failed, type Outcome, passed } from './outcome.js';
import { quietSockets } from './quiet-socket.js';
import { probeTcp } from './tcp.js';
import { openTcp, type Tcp } from './tcp-handle.js';

export interface ProberOptions {
  readonly clock: Clock;
  /** Sent with HTTP checks; names the program and its version. */
  readonly userAgent: string;
  /** Absent: the prober watches the loop itself. */
  readonly lagWatch?: LagWatch;
  readonly icmp?: Icmp;
  /** Absent: what this Node offers. Undefined: TCP checks go through `node:net` too. */
  readonly tcp?: Tcp | undefined;
}

/** Asks one address for an echo. */
export type Icmp = (current: Attempt, address: string, check: HealthCheckSpec) => Promise<Outcome>;

/** Compiled patterns kept; one per distinct `bodyMatches` of the config, so few. */
const PATTERNS_MAX = 1_000;

export function openProber(options: ProberOptions): Prober {
  const { clock, userAgent, icmp } = options;
  const watch = options.lagWatch ?? createLagWatch(clock);
  const patternOf = patternCache();
  const tcp = 'tcp' in options ? options.tcp : openTcp(quietSockets());
  const make = (target: ProbeTarget, check: HealthCheckSpec, done: Done): void => {
    if (check.type === 'tcp' && tcp !== undefined) {
      return probeTcp({ tcp, clock }, { target, check }, done);
    }
    const steps = { target, check, userAgent, patternOf, icmp };
    void attempt(clock, check.timeoutMs, (current) => stepsOf({ current, ...steps })).then(done);
  };
  return {
    probe: (target, check) =>
      new Promise((resolve) => {
        const startMs = clock.monotonic();
        const back = watch.begin();
        make(target, check, (outcome) => {
          const late = watch.worstSince(startMs) > check.timeoutMs / 2;
          back();
          resolve(resultOf(outcome, clock.monotonic() - startMs, late));
        });
      }),
  };
}

type Done = (outcome: Outcome) => void;

/** Named one by one: a spread would cost more than the rest of it. */
function resultOf(outcome: Outcome, elapsedMs: number, late: boolean): ProbeResult {
  const { passed, code, detail, positive } = outcome;
  return { passed, code, detail, positive, durationMs: Math.round(elapsedMs), late };
}

interface Steps {
  readonly current: Attempt;
  readonly target: ProbeTarget;
  readonly check: HealthCheckSpec;
  readonly userAgent: string;
  readonly patternOf: PatternOf;
  readonly icmp: Icmp | undefined;
}

async function stepsOf(steps: Steps): Promise<Outcome> {
  const { current, target, check } = steps;
  if (check.type === 'icmp') return echoOf(steps);
  const pattern = check.type === 'tcp' ? ok(undefined) : steps.patternOf(check.bodyMatches);
  if (!pattern.ok) return failed('UNSUPPORTED', pattern.failure.message);
  const connected = await connectTcp(current, target, check);
  if (!connected.ok) return connected.failure;
  if (check.type === 'tcp') return passed('L4OK', 'connected');
  const question = { target, check, userAgent: steps.userAgent, pattern: pattern.value };
  if (check.type === 'http') return exchange(current, connected.value, question);
  const secured = await secure(current, connected.value, { target, check });
  return secured.ok ? exchange(current, secured.value, question) : secured.failure;
}

function echoOf({ current, target, check, icmp }: Steps): Promise<Outcome> | Outcome {
  current.layer = 'L3';
  return icmp?.(current, target.address, check) ?? failed('UNSUPPORTED', 'no icmp in this process');
}

type PatternOf = (text: string | undefined) => Result<Pattern | undefined, PatternFailure>;

function patternCache(): PatternOf {
  const compiled = new Map<string, Result<Pattern, PatternFailure>>();
  return (text) => {
    if (text === undefined) return ok(undefined);
    const known = compiled.get(text) ?? compilePattern(text);
    if (compiled.size < PATTERNS_MAX) compiled.set(text, known);
    return known;
  };
}
