/**
 * The simulator without its sockets: holds the state, counts faults, runs VPP's clock and writes
 * the op log.
 *
 * Input: connections coming and going, whole messages, commands. Output: what to send and to whom.
 * Time is given as VPP's uptime through `clock`; sweeps happen at its full minutes.
 */
import { type Dispatched, dispatch, keyOfMessage, type Output, type SimState } from './dispatch.js';
import { type Faults, nextReply, nextRequest, noFaults } from './faults.js';
import { limits } from './limits.js';
import { type OpLog, wordsOf } from './op-log.js';
import { sweep } from './plugin/collect.js';
import { initialState, type Violation } from './plugin/state.js';
import { noRegistrations, register, unregister } from './registrations.js';
import { writeMessages } from './requests.js';

export interface EngineOptions {
  readonly pid: number;
  readonly heapBytes: number;
  readonly opLog: OpLog;
  /** Milliseconds since the epoch. */
  readonly epochMs: () => number;
  /** Milliseconds that never jump. */
  readonly steadyMs: () => number;
}

export type Answer = Extract<Output, { kind: 'reply' | 'details' | 'close' }>;

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
  update(change: (state: SimState) => SimState): void;
  faults(): Faults;
  state(): SimState;
  uptimeS(): number;
  /** The violation that killed VPP. */
  death(): Violation | undefined;
}

export function createEngine(options: EngineOptions): Engine {
  const { opLog, epochMs, steadyMs } = options;
  let state = freshState(options.pid, options.heapBytes);
  let faults = noFaults;
  let startedMs = steadyMs();
  let skewS = 0;
  let sweptS = 0;
  let death: Violation | undefined;

  const uptimeS = () => Math.floor((steadyMs() - startedMs) / 1_000) + skewS;

  function report(output: Exclude<Output, Answer>): void {
    switch (output.kind) {
      case 'op':
        opLog.write(epochMs(), { ...wordsOf(output.request), retval: output.retval });
        return;
      case 'unmodelled':
        opLog.write(epochMs(), { event: 'unmodelled-request', message: output.key });
        return;
      case 'violation':
        violate(output.violation, output.request && { request: wordsOf(output.request) });
    }
  }

  function violate(violation: Violation, context: object = {}): void {
    const { code, fatal, what } = violation;
    opLog.write(epochMs(), { violation: code, fatal, what, ...context });
    if (fatal) death ??= violation;
  }

  function tick(): void {
    while (death === undefined && sweptS + limits.sweepEveryS <= uptimeS()) {
      sweptS += limits.sweepEveryS;
      const outcome = sweep(state.lb, sweptS);
      for (const violation of outcome.violations) violate(violation);
      if (death === undefined) state = { ...state, lb: outcome.state };
    }
  }

  /** Faults count what they may hit: replies but no details, writes but no reads. */
  function forcedRetvalFor(message: Buffer): number | undefined {
    const key = keyOfMessage(message);
    if (key === undefined || writeMessages[key] === undefined) return undefined;
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

  function settle(dispatched: Dispatched): readonly Answer[] {
    const answers: Answer[] = [];
    for (const output of dispatched.outputs) {
      if (output.kind === 'reply' || output.kind === 'details' || output.kind === 'close') {
        answers.push(output);
      } else {
        report(output);
      }
    }
    state = dispatched.state;
    return answers.filter(survives);
  }

  return {
    accept() {
      const next = register(state.registrations);
      state = { ...state, registrations: next.registrations };
      return next.handle;
    },
    hangUp(handle) {
      state = { ...state, registrations: unregister(state.registrations, handle) };
    },
    receive(from, message) {
      tick();
      if (death !== undefined) return [];
      const forcedRetval = forcedRetvalFor(message);
      const epochS = epochMs() / 1_000;
      return settle(dispatch(state, { message, from, nowS: uptimeS(), epochS, forcedRetval }));
    },
    tick,
    advance(seconds) {
      skewS += seconds;
      tick();
    },
    restart(pid) {
      state = freshState(pid, options.heapBytes);
      startedMs = steadyMs();
      skewS = 0;
      sweptS = 0;
    },
    setFaults(change) {
      faults = { ...faults, ...change };
    },
    update(change) {
      state = change(state);
    },
    faults: () => faults,
    state: () => state,
    uptimeS,
    death: () => death,
  };
}

function freshState(pid: number, heapBytes: number): SimState {
  return { lb: initialState(heapBytes), registrations: noRegistrations, pid };
}
