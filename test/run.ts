/**
 * Runs the built tests with Node's own runner: `node dist/test/run.js [part of a file name …]`.
 * End-to-end files come last and one at a time, since they start daemons and bind ports.
 */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return testFiles(path);
    return entry.name.endsWith('.test.js') ? [path] : [];
  });
}

const files = testFiles(here)
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' ')}`);
  process.exit(1);
}

function runFiles(some: readonly string[], concurrency: number): Promise<boolean> {
  return new Promise((resolve) => {
    let passed = true;
    const stream = run({ files: [...some], concurrency, timeout: 600_000 });
    stream.on('test:fail', () => {
      passed = false;
    });
    stream.on('end', () => resolve(passed));
    stream.compose(new spec()).pipe(process.stdout, { end: false });
  });
}

const endToEnd = files.filter((file) => file.includes(`${join('test', 'e2e')}`));
const quick = files.filter((file) => !endToEnd.includes(file));
let passed = true;
if (quick.length > 0) passed = (await runFiles(quick, 2)) && passed;
if (endToEnd.length > 0) passed = (await runFiles(endToEnd, 1)) && passed;
process.exitCode = passed ? 0 : 1;
