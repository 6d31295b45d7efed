/** The contract of the announce hook on real programs, and on the fake that stands in for it. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { HookCall } from '../../../machines/model/announce.js';
import { openAnnounceHook } from '../../../src/adapters/announce-hook/hook.js';
import { systemClock } from '../../../src/adapters/system/clock.js';
import { announceHookContract, type HookLab, type Program } from '../../contract/announce-hook.js';
import { fakeAnnounceHook } from '../../support/fake-announce-hook.js';

const scripts = (file: string): Readonly<Record<Program, readonly string[]>> => ({
  works: ['/bin/sh', '-c', `cat >> ${file}`],
  fails: ['/bin/sh', '-c', 'echo starting >&2; echo no neighbour >&2; exit 3'],
  hangs: ['/bin/sh', '-c', 'sleep 600 & sleep 600'],
  missing: ['/nowhere/announce'],
  deaf: ['/bin/sh', '-c', 'exec <&-; exit 0'],
});

async function realLab(): Promise<HookLab> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-'));
  const file = join(dir, 'heard');
  const hook = openAnnounceHook({ clock: systemClock() });
  return {
    hook,
    command: (program) => scripts(file)[program],
    heard: async () => {
      const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as HookCall);
    },
    close: async () => {
      await hook.close();
      await rm(dir, { recursive: true });
    },
  };
}

announceHookContract('process', realLab);

announceHookContract('fake', async () => {
  const hook = fakeAnnounceHook();
  const heard = async () => hook.calls;
  return { hook, command: (program) => [program], heard, close: hook.close };
});

test('[AN-8] closing ends what runs and turns away what waits', async () => {
  const lab = await realLab();
  const program = { command: lab.command('hangs'), timeoutMs: 60_000 };
  const call = { action: 'withdraw', address: '192.0.2.1' } as HookCall;
  const outcomes = Array.from({ length: 20 }, () => lab.hook.call(program, call));
  await lab.hook.close();
  const codes = (await Promise.all(outcomes)).map((outcome) => !outcome.ok && outcome.failure.code);
  assert.ok(codes.every((code) => code === 'failed' || code === 'unavailable'));
  assert.ok(codes.includes('unavailable'));
});
