/**
 * The VPP simulator as a running thing: the API socket, the control socket, the op log, the clock.
 *
 * Input: a socket path. Output: a handle to look into it, to make it misbehave and to close it, or
 * the sentence saying why it cannot start.
 *
 * A violation that would crash VPP ends the simulator: connections are cut, nobody listens any
 * more, `died` resolves, and the violation stands in the op log.
 */
import type { Socket } from 'node:net';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { type Clients, createClients } from './clients.js';
import { type ControlAnswer, serveControl } from './control.js';
import { createEngine, type Engine } from './engine.js';
import { type ControlCommand, parseCommand } from './faults.js';
import { limits } from './limits.js';
import { type Listener, listen } from './listener.js';
import { type OpLine, type OpLog, openOpLog, type ViolationLine } from './op-log.js';
import { pinned } from './pin.js';
import { claimSocketPath, type SocketRefusal } from './socket-path.js';
import { type SimView, viewOf } from './view.js';

export interface VppSimOptions {
  readonly path: string;
  /** Default: `<path>.ops.jsonl`. */
  readonly opLog?: string;
  /** Process id that pings report. Default: this process's. */
  readonly pid?: number;
  /** Default: VPP's 1 GiB. */
  readonly heapBytes?: number;
  /** VPP's uptime runs by this. Default: the monotonic clock. */
  readonly steadyMs?: () => number;
}

export interface Death {
  readonly cause: 'violation' | 'command';
  readonly what: string;
}

export interface VppSim {
  readonly path: string;
  /** Settles when VPP has died, and never otherwise. */
  readonly died: Promise<Death>;
  state(): SimView;
  /** State-changing requests so far, in the order of execution. */
  ops(): readonly OpLine[];
  violations(): readonly ViolationLine[];
  control(command: unknown): Promise<ControlAnswer>;
  /** Removes the sockets. */
  close(): Promise<void>;
}

/** For tests: a refusal to start is an exception. */
export async function startVppSim(options: VppSimOptions): Promise<VppSim> {
  const opened = await openVppSim(options);
  if (opened.ok) return opened.value;
  throw new Error(opened.failure.message);
}

export async function openVppSim(options: VppSimOptions): Promise<Result<VppSim, SocketRefusal>> {
  const controlPath = `${options.path}.ctl`;
  for (const path of [options.path, controlPath]) {
    const claimed = await claimSocketPath(path);
    if (!claimed.ok) return claimed;
  }
  const opened = tryOpenOpLog(options.opLog ?? `${options.path}.ops.jsonl`);
  if (!opened.ok) return opened;
  const opLog = opened.value;
  const running = assemble(options, opLog);
  const { clients, control } = running;
  const doors = [
    { path: options.path, mode: 0o660, onConnection: clients.accept },
    { path: controlPath, mode: 0o600, onConnection: (s: Socket) => serveControl(s, control) },
  ];
  for (const door of doors) {
    const listener = await listen(door);
    if (!listener.ok) {
      await running.stop();
      return listener;
    }
    running.listeners.push(listener.value);
  }
  opLog.write(Date.now(), { event: 'started', pid: running.engine.state().pid });
  return ok(handleOf(options.path, running, opLog));
}

function tryOpenOpLog(path: string): Result<OpLog, SocketRefusal> {
  try {
    return ok(openOpLog(path));
  } catch (error) {
    const message = `Cannot write the op log ${path}: ${String(error)}.`;
    return fail({ code: 'unavailable', message });
  }
}

interface Running {
  readonly engine: Engine;
  readonly clients: Clients;
  readonly listeners: Listener[];
  readonly died: Promise<Death>;
  control(command: ControlCommand): Promise<ControlAnswer>;
  stop(): Promise<void>;
}

function handleOf(path: string, running: Running, opLog: OpLog): VppSim {
  const { engine, died } = running;
  return {
    path,
    died,
    state: () => viewOf(engine.state(), engine.uptimeS()),
    ops: () => opLog.lines().filter((line): line is OpLine => 'retval' in line),
    violations: () => opLog.lines().filter((line): line is ViolationLine => 'violation' in line),
    async control(input) {
      const command = parseCommand(input);
      if (command === undefined) return { ok: false, message: 'not a command' };
      return running.control(command);
    },
    close: () => running.stop(),
  };
}

function assemble(options: VppSimOptions, opLog: OpLog): Running {
  const engine = createEngine({
    pid: options.pid ?? process.pid,
    heapBytes: options.heapBytes ?? limits.heapBytes,
    opLog,
    epochMs: () => Date.now(),
    steadyMs: options.steadyMs ?? (() => performance.now()),
  });
  const listeners: Listener[] = [];
  let announceDeath: (death: Death) => void = () => {};
  const died = new Promise<Death>((resolve) => {
    announceDeath = resolve;
  });
  let stopped: Promise<void> | undefined;
  let dead = false;

  function stop(): Promise<void> {
    stopped ??= shutDown();
    return stopped;
  }

  async function shutDown(): Promise<void> {
    clearInterval(sweeper);
    clients.cutAll();
    await Promise.all(listeners.map((listener) => listener.close()));
    opLog.close();
  }

  function die(death: Death): void {
    if (dead || stopped !== undefined) return;
    dead = true;
    clients.cutAll();
    opLog.write(Date.now(), { event: 'died', ...death });
    announceDeath(death);
    // Later: who exits on the announcement leaves the socket file behind, as a crash does.
    setImmediate(() => void stop());
  }

  function dieOfViolation(): void {
    const violation = engine.death();
    if (violation !== undefined) die({ cause: 'violation', what: violation.what });
  }

  const clients = createClients(engine, dieOfViolation);
  const sweeper = setInterval(() => {
    engine.tick();
    dieOfViolation();
  }, limits.sweepCheckMs).unref();

  async function control(command: ControlCommand): Promise<ControlAnswer> {
    if (dead || stopped !== undefined) return { ok: false, message: 'the simulator has stopped' };
    if ('die' in command) {
      // Later, so that the answer still leaves.
      setImmediate(() => die({ cause: 'command', what: 'told to' }));
      return { ok: true };
    }
    const answer = obey(command, { engine, clients, opLog });
    dieOfViolation();
    return answer;
  }

  return { engine, clients, listeners, died, control, stop };
}

interface Parts {
  readonly engine: Engine;
  readonly clients: Clients;
  readonly opLog: OpLog;
}

function obey(command: ControlCommand, { engine, clients, opLog }: Parts): ControlAnswer {
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
    engine.update(() => state);
  } else if ('restartEmpty' in command) {
    const { pid } = engine.state();
    clients.cutAll();
    engine.restart(command.samePid === true ? pid : pid + 1);
    opLog.write(Date.now(), { event: 'restarted-empty', pid: engine.state().pid });
  }
  return { ok: true };
}
