/**
 * `check [FILE]`: every problem of a configuration file at once, `file:line:column: message`, or its
 * JSON Schema. Needs no daemon.
 *
 * Exit codes: 0 fine, 1 it does not speak our language (or there is none), 2 it says what cannot be.
 */
import { Command } from 'commander';
import { readConfigFile } from '../adapters/config-file/config-file.js';
import { configJsonSchema } from '../config/json-schema.js';
import { printProblem, worstCode } from '../config/problem.js';
import type { Problem } from '../ports/config-file.js';
import { findConfigFile, NO_CONFIG } from './config-file.js';
import { EXIT } from './exit-codes.js';
import { out } from './print.js';

interface CheckOptions {
  readonly schema?: boolean;
  readonly json?: boolean;
}

export function checkCommand(): Command {
  return new Command('check')
    .description('validate a configuration file: all its problems, with their places')
    .argument('[file]', 'default: as for run')
    .option('--schema', 'print the JSON Schema of the file instead')
    .option('--json', 'print the problems as a JSON array')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string | undefined, options: CheckOptions, command: Command) => {
      if (options.schema === true) return out(JSON.stringify(configJsonSchema(), null, 2));
      const { config } = command.optsWithGlobals<{ readonly config?: string }>();
      process.exitCode = await check(findConfigFile(file ?? config), options);
    });
}

const EXAMPLES = `
Examples:
  switchyard check                      the file that run would take
  switchyard check site.yaml            0 fine, 1 not readable as a configuration, 2 contradictory
  switchyard check --schema > switchyard.schema.json`;

async function check(file: string | undefined, { json }: CheckOptions): Promise<number> {
  if (file === undefined) {
    process.stderr.write(`switchyard: ${NO_CONFIG}\n`);
    return EXIT.failed;
  }
  const loaded = await readConfigFile({ file, env: process.env, inThread: false });
  const problems = loaded.ok ? [] : loaded.failure;
  if (json === true) out(JSON.stringify(problems, null, 2));
  else if (loaded.ok) out(`${file}: fine`);
  else process.stderr.write(`${problems.map(printProblem).join('\n')}\n`);
  return exitCodeOf(problems);
}

function exitCodeOf(problems: readonly Problem[]): number {
  if (problems.length === 0) return EXIT.ok;
  return worstCode(problems) === 'parse' ? EXIT.failed : EXIT.semantic;
}
