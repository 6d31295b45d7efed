/** The configurations a reload has in hand: who needs one has it, and who needs none holds none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReloadDesks, type ReloadDesks } from '../../actors/reload-desks.js';
import { fail, ok } from '../../machines/model/result.js';
import { noFailpoints } from '../../src/adapters/system/failpoints.js';
import { NOBODY } from '../../src/policy/reload.js';
import type { ConfigDesk, ConfigFile, LetterOrder } from '../../src/ports/config-file.js';
import { SITE } from '../support/config.js';
import { textConfigFile } from '../support/text-config.js';
import { memoryStore } from '../support/toy-node.js';

interface Open {
  readonly desks: ReloadDesks;
  /** Desks that were opened and not closed. */
  readonly open: () => number;
  /** What `restore` fails with, as long as it is set. */
  readonly outside: { failure?: string };
  write(text: string): void;
}

function openDesks(): Open {
  const store = memoryStore();
  const file = { text: SITE };
  const outside: { failure?: string } = {};
  let count = 0;
  const real = textConfigFile(
    () => file.text,
    () => store,
  );
  const counted = (desk: ConfigDesk): ConfigDesk => {
    count += 1;
    return strict(desk, () => {
      count -= 1;
    });
  };
  const configFile: ConfigFile = {
    ...real,
    open: async (given) => {
      const opened = await real.open(given);
      return opened.ok ? ok(counted(opened.value)) : opened;
    },
    openAtBoot: async () => {
      const opened = await real.openAtBoot();
      return opened.ok ? ok(counted(opened.value)) : opened;
    },
    restore: async (kept) => {
      if (outside.failure !== undefined) return fail(outside.failure);
      const opened = await real.restore(kept);
      return opened.ok ? ok(counted(opened.value)) : opened;
    },
  };
  const desks = createReloadDesks({ configFile, failpoints: noFailpoints } as never);
  const write = (text: string): void => void Object.assign(file, { text });
  return { desks, open: () => count, outside, write };
}

/** As one in a thread: once it is closed nobody there answers. */
function strict(desk: ConfigDesk, onClose: () => void): ConfigDesk {
  let closed = false;
  const alive = <T>(answer: () => Promise<T>): Promise<T> =>
    closed ? Promise.reject(new Error('closed')) : answer();
  return {
    ...desk,
    settings: (hook) => alive(() => desk.settings(hook)),
    async *letters(order) {
      for await (const batch of desk.letters(order)) {
        await alive(async () => undefined);
        yield batch;
      }
    },
    close: () => {
      if (!closed) onClose();
      closed = true;
      desk.close();
    },
  };
}

const BOOT = {
  committed: null,
  booted: null,
  retired: NOBODY,
  request: { trigger: 'boot', dryRun: false, disruptive: false },
} as const;

const order = (hook: string): LetterOrder => ({
  hook,
  generation: 1,
  retired: NOBODY,
  previous: null,
  mayRecreate: false,
});

/** A pass over the file as it is: its hash. */
async function booted(desks: ReloadDesks): Promise<string> {
  const examined = await desks.examine(BOOT);
  assert.ok(examined.kind === 'read');
  await desks.release([examined.hash]);
  return examined.hash;
}

/** To let every promise that can go on go on. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('[RE-6] reload desks: who converges is not cut short by a pass over the same file', async () => {
  const { desks, open } = openDesks();
  const hash = await booted(desks);
  const told: string[] = [];
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const work = desks.during(async () => {
    const desk = await desks.desk({ hash });
    await gate;
    assert.ok(desk.ok);
    await desk.value.settings('log_level');
    for await (const batch of desks.letters({ hash }, order('backends'))) {
      told.push(...batch.map(({ to }) => to));
    }
    return undefined;
  });
  await settle();
  const again = { ...BOOT, committed: { hash }, booted: {} };
  await desks.examine({ ...again, request: { ...BOOT.request, trigger: 'signal' } });
  await desks.release([hash]);
  go();
  await work;
  assert.deepEqual(told, ['backend/cache-1', 'backend/cache-2']);
  await settle();
  assert.equal(open(), 0);
});

test('[RE-6] reload desks: who has converged holds nothing any more', async () => {
  const { desks, open } = openDesks();
  const hash = await booted(desks);
  assert.equal(open(), 0);
  await desks.during(async () => {
    await desks.desk({ hash });
    assert.equal(open(), 1);
    return undefined;
  });
  await settle();
  assert.equal(open(), 0);
});

test('[RE-6] reload desks: a configuration that did not come back is asked for again', async () => {
  const { desks, outside } = openDesks();
  const hash = await booted(desks);
  outside.failure = 'the store is busy';
  assert.deepEqual(await desks.desk({ hash }), fail('the store is busy'));
  delete outside.failure;
  assert.ok((await desks.desk({ hash })).ok);
});

test('[RE-6] reload desks: of many generations of the same file the latest is remembered', async () => {
  const { desks, outside } = openDesks();
  const hash = await booted(desks);
  const ask = async (generation: number): Promise<number> => {
    let count = 0;
    for await (const batch of desks.letters({ hash }, { ...order('backends'), generation })) {
      count += batch.length;
    }
    return count;
  };
  for (let generation = 1; generation <= 1_500; generation += 1) await ask(generation);
  await desks.release([hash]);
  outside.failure = 'nobody needs to ask';
  assert.equal(await ask(1_500), 2);
});

test('[RE-6] reload desks: at the end nothing stays open, whoever was converging and whatever was just being opened', async () => {
  const { desks, open } = openDesks();
  const hash = await booted(desks);
  void desks.during(async () => {
    await desks.desk({ hash });
    return new Promise<never>(() => undefined);
  });
  await settle();
  assert.equal(open(), 1);
  const late = desks.examine(BOOT);
  desks.close();
  await late;
  await settle();
  assert.equal(open(), 0);
  assert.equal((await desks.desk({ hash })).ok, false);
});

test('[RE-6] reload desks: who fails as it converges holds nothing back', async () => {
  const { desks, open } = openDesks();
  const hash = await booted(desks);
  const failing = desks.during(async () => {
    await desks.desk({ hash });
    throw new Error('the store went away');
  });
  await assert.rejects(failing, /went away/);
  await settle();
  assert.equal(open(), 0);
});
