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
import { type ControlAnswer, serveControl } from './control.js';
import { parseCommand } from './faults.js';
import { limits } from './limits.js';
import { listen } from './listener.js';
import { type OpLine, type OpLog, openOpLog, type ViolationLine } from './op-log.js';
import { type Death, type Running, startRunning } from './running.js';
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
  for (const path of [options.path, controlPathOf(options.path)]) {
    const claimed = await claimSocketPath(path);
    if (!claimed.ok) return claimed;
  }
  const opLog = tryOpenOpLog(options.opLog ?? `${options.path}.ops.jsonl`);
  if (!opLog.ok) return opLog;
  const running = startRunning({
    pid: options.pid ?? process.pid,
    heapBytes: options.heapBytes ?? limits.heapBytes,
    opLog: opLog.value,
    epochMs: () => Date.now(),
    steadyMs: options.steadyMs ?? (() => performance.now()),
  });
  const doors = await openDoors(options.path, running);
  if (!doors.ok) {
    await running.stop();
    return doors;
  }
  opLog.value.write(Date.now(), { event: 'started', pid: running.engine.state().pid });
  return ok(handleOf(options.path, running, opLog.value));
}

export function controlPathOf(path: string): string {
  return `${path}.ctl`;
}

/** The control socket first: who can connect to the API socket can control it too. */
async function openDoors(path: string, running: Running): Promise<Result<void, SocketRefusal>> {
  const { clients, control } = running;
  const serve = (socket: Socket) => serveControl(socket, control);
  const doors = [
    { path: controlPathOf(path), mode: 0o600, onConnection: serve },
    { path, mode: 0o660, onConnection: clients.accept },
  ];
  for (const door of doors) {
    const listener = await listen(door);
    if (!listener.ok) return listener;
    running.listeners.push(listener.value);
  }
  return ok(undefined);
}

function tryOpenOpLog(path: string): Result<OpLog, SocketRefusal> {
  try {
    return ok(openOpLog(path));
  } catch (error) {
    const message = `Cannot write the op log ${path}: ${String(error)}.`;
    return fail({ code: 'unavailable', message });
  }
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
