/**
 * A simulator's life: engine, connections and sweeps together, how it obeys commands, how it dies
 * and how it stops.
 *
 * Death is announced before the listeners are closed, so that a process that exits on it leaves its
 * socket file behind, as a crash does.
 */
import { type Clients, createClients } from './clients.js';
import type { ControlAnswer } from './control.js';
import { createEngine, type Engine, type EngineOptions } from './engine.js';
import type { ControlCommand } from './faults.js';
import { limits } from './limits.js';
import type { Listener } from './listener.js';
import { pinned } from './pin.js';
import { viewOf } from './view.js';

export interface Death {
  readonly cause: 'violation' | 'command';
  readonly what: string;
}

export interface Running {
  readonly engine: Engine;
  readonly clients: Clients;
  /** Whoever opens the sockets adds them. */
  readonly listeners: Listener[];
  readonly died: Promise<Death>;
  control(command: ControlCommand): Promise<ControlAnswer>;
  stop(): Promise<void>;
}

export function startRunning(options: EngineOptions): Running {
  const { opLog } = options;
  const engine = createEngine(options);
  const listeners: Listener[] = [];
  const { died, announce } = deathNotice();
  let dead = false;
  let stopped: Promise<void> | undefined;

  function dieOfViolation(): void {
    const violation = engine.death();
    if (violation !== undefined) die({ cause: 'violation', what: violation.what });
  }

  function die(death: Death): void {
    if (dead || stopped !== undefined) return;
    dead = true;
    clients.cutAll();
    opLog.write(options.epochMs(), { event: 'died', ...death });
    announce(death);
    setImmediate(() => void stop());
  }

  const clients = createClients(engine, dieOfViolation);
  const sweeper = setInterval(() => {
    engine.tick();
    dieOfViolation();
  }, limits.sweepCheckMs).unref();

  async function shutDown(): Promise<void> {
    clearInterval(sweeper);
    clients.cutAll();
    await Promise.all(listeners.map((listener) => listener.close()));
    opLog.close();
  }

  function stop(): Promise<void> {
    stopped ??= shutDown();
    return stopped;
  }

  async function control(command: ControlCommand): Promise<ControlAnswer> {
    if (dead || stopped !== undefined) return { ok: false, message: 'the simulator has stopped' };
    if ('die' in command) {
      // Later, so that the answer still leaves.
      setImmediate(() => die({ cause: 'command', what: 'told to' }));
      return { ok: true };
    }
    const answer = obey(command, { engine, clients, options });
    dieOfViolation();
    return answer;
  }

  return { engine, clients, listeners, died, control, stop };
}

function deathNotice(): {
  readonly died: Promise<Death>;
  readonly announce: (death: Death) => void;
} {
  let announce: (death: Death) => void = () => {};
  const died = new Promise<Death>((resolve) => {
    announce = resolve;
  });
  return { died, announce };
}

interface Parts {
  readonly engine: Engine;
  readonly clients: Clients;
  readonly options: EngineOptions;
}

type Obeyed = Exclude<ControlCommand, { die: true }>;

function obey(command: Obeyed, parts: Parts): ControlAnswer {
  const { engine, clients } = parts;
  if ('state' in command) return { ok: true, state: viewOf(engine.state(), engine.uptimeS()) };
  if ('freezeMs' in command) {
    clients.freeze(command.freezeMs);
  } else if ('answerLateMs' in command) {
    engine.setFaults({ answerLateMs: command.answerLateMs });
  } else if ('dropNthReply' in command) {
    engine.setFaults({ dropReplyIn: command.dropNthReply });
  } else if ('failNthRequest' in command) {
    const { n, retval } = command.failNthRequest;
    engine.setFaults({ failRequestIn: n, failRetval: retval });
  } else if ('advanceS' in command) {
    engine.advance(command.advanceS);
  } else if ('pin' in command) {
    const state = pinned(engine.state(), command.pin);
    if (state === undefined) return { ok: false, message: 'no such AS' };
    engine.replaceState(state);
  } else {
    restartEmpty(command.samePid === true, parts);
  }
  return { ok: true };
}

function restartEmpty(samePid: boolean, { engine, clients, options }: Parts): void {
  const { pid } = engine.state();
  clients.cutAll();
  engine.restart(samePid ? pid : pid + 1);
  const event = { event: 'restarted-empty', pid: engine.state().pid };
  options.opLog.write(options.epochMs(), event);
}
