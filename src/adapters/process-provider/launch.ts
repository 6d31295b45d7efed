/**
 * Starts one instance: a process in a session and group of its own, which the daemon's death does not
 * touch, with its output in a file and its lifeline as descriptor 3.
 *
 * Output: the child and who it is, read in the same turn: it cannot have been reaped yet. A program
 * that cannot be started is `permanent`, a machine short of something is `unavailable`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { assert } from '../../../machines/model/assert.js';
import type { ProviderFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { bootId, type ProcessIdentity, startTicksOf } from '../proc/processes.js';
import { withWriteEnd } from './lifeline.js';
import type { LaunchPlan } from './spec.js';

export interface Launched {
  readonly child: ChildProcess;
  readonly identity: ProcessIdentity;
}

export async function launch(
  plan: LaunchPlan,
  paths: { readonly log: string; readonly lifeline: string },
): Promise<Result<Launched, ProviderFailure>> {
  const cwd = statSync(plan.cwd, { throwIfNoEntry: false });
  if (cwd?.isDirectory() !== true) return fail(noDirectory(plan));
  const child = spawnWith(plan, paths);
  if (child.pid === undefined) return fail(await spawnFailure(plan, child));
  // An error after a start (a signal that could not be sent) is somebody else's to notice.
  child.on('error', () => undefined);
  child.unref();
  const startTicks = startTicksOf(child.pid);
  assert(startTicks !== undefined, 'a child of this turn is in /proc until it is reaped');
  return ok({ child, identity: { pid: child.pid, startTicks, bootId: bootId() } });
}

function spawnWith(
  plan: LaunchPlan,
  paths: { readonly log: string; readonly lifeline: string },
): ChildProcess {
  const [program, ...args] = plan.command;
  const log = openSync(paths.log, 'a', 0o600);
  try {
    return withWriteEnd(paths.lifeline, (lifeline) =>
      spawn(program, args, {
        cwd: plan.cwd,
        env: plan.env,
        detached: true,
        stdio: ['ignore', log, log, lifeline],
      }),
    );
  } finally {
    closeSync(log);
  }
}

async function spawnFailure(plan: LaunchPlan, child: ChildProcess): Promise<ProviderFailure> {
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
    child.once('error', resolve);
  });
  const program = plan.command[0];
  switch (error.code) {
    case 'ENOENT':
      return permanent(noProgram(program, plan.cwd));
    case 'EACCES':
      // A folder of PATH that may not be entered says so too, of a program that is nowhere.
      return permanent(
        program.includes('/') ? notExecutable(program) : noProgram(program, plan.cwd),
      );
    case 'ENOEXEC':
    case 'E2BIG':
      return permanent(`"${program}" cannot be executed (${error.code}): correct spec.command`);
    default:
      return {
        code: 'unavailable',
        message: `"${program}" could not be started: ${error.message}`,
      };
  }
}

function noProgram(program: string, cwd: string): string {
  return `there is no program "${program}" (or the interpreter its first line names): install it or correct spec.command; it is looked up in PATH, or from ${cwd} when it has a slash`;
}

function notExecutable(program: string): string {
  return `"${program}" may not be executed: make it executable (chmod +x) or correct spec.command`;
}

function noDirectory(plan: LaunchPlan): ProviderFailure {
  return permanent(
    `"${plan.command[0]}" has no directory to start in: create ${plan.cwd} or correct spec.cwd`,
  );
}

function permanent(message: string): ProviderFailure {
  return { code: 'permanent', message };
}
