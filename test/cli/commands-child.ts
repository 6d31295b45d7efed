/**
 * Entry of a process that runs the command line again and again: words and environment in, exit code and
 * output back. What takes long, loading the program, happens once; its main module is evaluated anew
 * for every run, as a shell would.
 */
import { fileURLToPath } from 'node:url';

export interface RunRequest {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const MAIN = new URL('../../src/cli/program.js', import.meta.url);
let runs = 0;

async function run({ words, env }: RunRequest): Promise<Ran> {
  runs += 1;
  process.argv = [process.execPath, fileURLToPath(MAIN), ...words];
  Object.assign(process.env, env);
  process.exitCode = undefined;
  const texts = { out: '', err: '' };
  const real = { out: process.stdout.write, err: process.stderr.write };
  const capture = (name: 'out' | 'err') => (chunk: string | Uint8Array) => {
    texts[name] += String(chunk);
    return true;
  };
  process.stdout.write = capture('out');
  process.stderr.write = capture('err');
  try {
    await import(`${MAIN.href}?run=${runs}`);
  } finally {
    process.stdout.write = real.out;
    process.stderr.write = real.err;
  }
  return { code: Number(process.exitCode ?? 0), ...texts };
}

process.on('message', (request: RunRequest) => {
  void run(request).then((ran) => process.send?.(ran));
});
