/** What `npm install` says last when this machine lacks something, by the very script that says it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { repoPath } from './support/root.js';

const SCRIPT = repoPath('.ci', 'toolchain.mjs');

interface Said {
  readonly code: number | null;
  readonly lines: readonly string[];
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Said {
  const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  return { code: status, lines: stderr.split('\n').filter((line) => line !== '') };
}

function posingAs(version: string): readonly string[] {
  const pose = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`;
  return ['--import', `data:text/javascript,${encodeURIComponent(pose)}`];
}

test('[CL-51] toolchain: says nothing where everything is there', () => {
  assert.deepEqual(run([SCRIPT]), { code: 0, lines: [] });
});

test('[CL-51] toolchain: Node too old is one sentence, also where the addon loads', () => {
  for (const version of ['18.20.8', '20.19.5']) {
    assert.deepEqual(run([...posingAs(version), SCRIPT]), {
      code: 1,
      lines: [
        `switchyard: Node ${version} is too old: install Node 20.20 or later, then 'npm install' again.`,
      ],
    });
  }
  for (const version of ['20.20.0', '22.0.0']) {
    assert.equal(run([...posingAs(version), SCRIPT]).code, 0, version);
  }
});

test('[CL-51] toolchain: missing compilers are one sentence with the remedy', () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-toolchain-'));
  const bare = join(dir, 'toolchain.mjs');
  copyFileSync(SCRIPT, bare);
  const { code, lines } = run([bare], { PATH: dir });
  rmSync(dir, { recursive: true });
  assert.equal(code, 1);
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(
    lines[0] ?? '',
    /needs python3, make, g\+\+: run 'apt-get install -y python3 make g\+\+'/,
  );
});
