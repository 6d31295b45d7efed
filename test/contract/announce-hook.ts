/** What every announce hook must do; a lab says what each program does and how often it was run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HookCall } from '../../machines/model/announce.js';
import type { FrontendName } from '../../machines/model/ids.js';
import { ok } from '../../machines/model/result.js';
import type { AnnounceHook } from '../../src/ports/announce-hook.js';

export type Program = 'works' | 'fails' | 'hangs' | 'missing' | 'deaf';

export interface HookLab {
  readonly hook: AnnounceHook;
  command(program: Program): readonly string[];
  /** Calls that reached a working program, oldest first. */
  heard(): Promise<readonly HookCall[]>;
  close(): Promise<void>;
}

const call = (name: string): HookCall => ({
  action: 'announce',
  frontend: name as FrontendName,
  address: '192.0.2.1',
  prefixLength: 32,
  protocol: 'tcp',
  port: 443,
  reason: 'up',
});

export function announceHookContract(name: string, open: () => Promise<HookLab>): void {
  const inLab = (title: string, run: (lab: HookLab) => Promise<void>) =>
    test(`${title.replace('] ', `] ${name}: `)}`, async () => {
      const lab = await open();
      try {
        await run(lab);
      } finally {
        await lab.close();
      }
    });
  const with_ = (lab: HookLab, program: Program, timeoutMs = 20_000) => ({
    command: lab.command(program),
    timeoutMs,
  });

  inLab(
    '[AN-8] a program that works is told the call whole, and its end is success',
    async (lab) => {
      assert.deepEqual(await lab.hook.call(with_(lab, 'works'), call('web')), ok(undefined));
      assert.deepEqual(await lab.heard(), [call('web')]);
    },
  );

  inLab('[AN-8] failures: each has its code and says something', async (lab) => {
    const rows: readonly (readonly [Program, string, RegExp])[] = [
      ['fails', 'failed', /no neighbour/],
      ['missing', 'unavailable', /./],
    ];
    for (const [program, code, message] of rows) {
      const outcome = await lab.hook.call(with_(lab, program), call('web'));
      assert.ok(!outcome.ok, program);
      assert.equal(outcome.failure.code, code);
      assert.match(outcome.failure.message, message);
    }
  });

  inLab('[AN-8] one that hangs is ended and reported as late', async (lab) => {
    const outcome = await lab.hook.call(with_(lab, 'hangs', 200), call('web'));
    assert.ok(!outcome.ok);
    assert.equal(outcome.failure.code, 'timeout');
  });

  inLab('[AN-8] one that reads nothing harms nobody', async (lab) => {
    assert.deepEqual(await lab.hook.call(with_(lab, 'deaf'), call('web')), ok(undefined));
  });

  inLab('[AN-8] many calls at once: each is made, once', async (lab) => {
    const names = Array.from({ length: 30 }, (_, index) => `web-${index}`);
    const outcomes = await Promise.all(
      names.map((one) => lab.hook.call(with_(lab, 'works'), call(one))),
    );
    assert.ok(outcomes.every((outcome) => outcome.ok));
    const heard = (await lab.heard()).map(({ frontend }) => String(frontend));
    assert.deepEqual([...heard].sort(), [...names].sort());
  });
}
