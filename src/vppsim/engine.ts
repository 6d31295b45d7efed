/**
 * The simulator without its sockets: holds the state, counts faults, runs VPP's clock and reports
 * to the op log.
 *
 * Input: connections coming and going, whole messages, commands. Output: what to send and to whom.
 * Once a violation has killed VPP nothing is answered any more.
 */
import { type Answer, dispatch, isAnswer, keyOfMessage, type SimState } from './dispatch.js';
import { type Faults, nextReply, nextRequest, noFaults } from './faults.js';
import type { OpLog } from './op-log.js';
import { sweep } from './plugin/collect.js';
import { initialState, type Violation } from './plugin/state.js';
import { noRegistrations, register, unregister } from './registrations.js';
import { createReporter } from './reporter.js';
import { writeMessages } from './requests.js';
import { startUptime } from './uptime.js';

export interface EngineOptions {
  readonly pid: number;
  readonly heapBytes: number;
  readonly opLog: OpLog;
  /** Milliseconds since the epoch. */
  readonly epochMs: () => number;
  /** Milliseconds that never jump. */
  readonly steadyMs: () => number;
}

export interface Engine {
  accept(): number;
  hangUp(handle: number): void;
  /** Answers that leave, in order. Replies that a fault swallows are missing. */
  receive(from: number, message: Buffer): readonly Answer[];
  /** Runs the sweeps that are due. */
  tick(): void;
  advance(seconds: number): void;
  /** Everything is forgotten, as after a crash and a fresh start. */
  restart(pid: number): void;
  setFaults(change: Partial<Faults>): void;
  replaceState(state: SimState): void;
  faults(): Faults;
  state(): SimState;
  uptimeS(): number;
  /** The violation that killed VPP. */
  death(): Violation | undefined;
}

export function createEngine(options: EngineOptions): Engine {
  const { epochMs, steadyMs } = options;
  const { report, death } = createReporter(options.opLog, epochMs);
  let state = freshState(options.pid, options.heapBytes);
  let faults = noFaults;
  let uptime = startUptime(steadyMs);

  function tick(): void {
    for (let dueS = uptime.dueSweepS(); dueS !== undefined; dueS = uptime.dueSweepS()) {
      const outcome = sweep(state.lb, dueS);
      for (const violation of outcome.violations) report({ kind: 'violation', violation });
      if (death() !== undefined) return;
      state = { ...state, lb: outcome.state };
    }
  }

  function receive(from: number, message: Buffer): readonly Answer[] {
    tick();
    if (death() !== undefined) return [];
    const forcedRetval = isWrite(message) ? forcedRetvalOfNext() : undefined;
    const times = { nowS: uptime.nowS(), epochS: epochMs() / 1_000 };
    const next = dispatch(state, { message, from, ...times, forcedRetval });
    state = next.state;
    for (const output of next.outputs) if (!isAnswer(output)) report(output);
    return next.outputs.filter(isAnswer).filter(survives);
  }

  function forcedRetvalOfNext(): number | undefined {
    const next = nextRequest(faults);
    faults = next.faults;
    return next.forcedRetval;
  }

  function survives(answer: Answer): boolean {
    if (answer.kind !== 'reply') return true;
    const next = nextReply(faults);
    faults = next.faults;
    return !next.lost;
  }

  return {
    receive,
    tick,
    death,
    accept() {
      const next = register(state.registrations);
      state = { ...state, registrations: next.registrations };
      return next.handle;
    },
    hangUp(handle) {
      state = { ...state, registrations: unregister(state.registrations, handle) };
    },
    advance(seconds) {
      uptime.advance(seconds);
      tick();
    },
    restart(pid) {
      state = freshState(pid, options.heapBytes);
      uptime = startUptime(steadyMs);
    },
    setFaults(change) {
      faults = { ...faults, ...change };
    },
    replaceState(next) {
      state = next;
    },
    faults: () => faults,
    state: () => state,
    uptimeS: () => uptime.nowS(),
  };
}

function isWrite(message: Buffer): boolean {
  const key = keyOfMessage(message);
  return key !== undefined && writeMessages[key] !== undefined;
}

function freshState(pid: number, heapBytes: number): SimState {
  return { lb: initialState(heapBytes), registrations: noRegistrations, pid };
}
