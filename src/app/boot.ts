/**
 * Before any actor: read the configuration, prepare the data directory, take the lock. Everything that
 * can be wrong with the machine or the file is told here in one sentence each, with its exit code.
 */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { fail, type Result } from '../../machines/model/result.js';
import { type BootFile, readBootFile } from '../adapters/config-file/config-file.js';
import { type Release, takeLock } from '../adapters/proc/lock-file.js';
import { makeDirectory } from '../adapters/proc/make-directory.js';
import { type Problem, printProblem, worstCode } from '../config/problem.js';

export interface BootFailure {
  /** 0: it was told to stop before it was ready. */
  readonly exitCode: 0 | 1 | 2 | 3;
  /** What stderr gets, a line each. */
  readonly lines: readonly string[];
}

export async function readBootConfig(
  file: string,
  overrides: { readonly dataDir?: string },
): Promise<Result<BootFile, BootFailure>> {
  const read = await readBootFile({ file, env: process.env, ...overrides });
  return read.ok ? read : fail(configFailure(read.failure));
}

export function configFailure(problems: readonly Problem[]): BootFailure {
  const exitCode = worstCode(problems) === 'parse' ? 1 : 2;
  return { exitCode, lines: problems.map(printProblem) };
}

/** The data directory, writable and ours alone for as long as the process lives. */
export async function takeDataDir(dataDir: string): Promise<Result<Release, BootFailure>> {
  try {
    makeDirectory(dataDir, 0o750);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    return await lockDataDir(dataDir);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return cannotStart(
      `the data directory ${dataDir} cannot be written (${reason}): set node.dataDir to one that can`,
    );
  }
}

async function lockDataDir(dataDir: string): Promise<Result<Release, BootFailure>> {
  const lock = await takeLock(join(dataDir, 'switchyard.lock'));
  if (lock.ok) return lock;
  return cannotStart(`${lock.failure.message}: stop that daemon, or set another node.dataDir`);
}

export function cannotStart(line: string): Result<never, BootFailure> {
  return fail({ exitCode: 3, lines: [`switchyard: ${line}`] });
}
