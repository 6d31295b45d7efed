/** Large configurations: kept and given out in pieces, whole and the same, whatever their size. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { type Clerk, createClerk, type Stored } from '../../src/config/clerk.js';
import { deriveSite } from '../../src/config/site.js';
import { NOBODY } from '../../src/policy/reload.js';
import { textConfigFile } from '../support/text-config.js';
import { memoryStore } from '../support/toy-node.js';

const PART = 10_000;

function site(backends: number, prefix = 'backend'): string {
  const rows = Array.from(
    { length: backends },
    (_, n) =>
      `  ${prefix}-${n}: { address: 10.${n >> 16}.${(n >> 8) & 255}.${n & 255}, healthCheck: ok }`,
  );
  return `node: { name: large }\nhealthChecks: { ok: { type: tcp, port: 80 } }\nbackends:\n${rows.join('\n')}\n`;
}

function clerkWith(text: string): { readonly clerk: Clerk; readonly hash: string } {
  const clerk = createClerk(() => []);
  const request = { file: '/etc/large.yaml', env: {}, hostname: '', dataDir: undefined };
  const read = clerk.read({ ...request, bytes: Buffer.from(text) });
  assert.ok(read.ok, JSON.stringify(read));
  return { clerk, hash: read.value.hash };
}

const storedOf = ({ clerk, hash }: ReturnType<typeof clerkWith>): Stored => ({
  hash,
  parts: clerk.pack({ partCharacters: PART }),
  inline: null,
});

function lettersOf(clerk: Clerk, hook: string, previous: Stored | null = null): readonly string[] {
  const all: string[] = [];
  for (let more = true; more; ) {
    const base = { hook, generation: 3, retired: NOBODY, mayRecreate: false, previous };
    const answer = clerk.letters({ ...base, from: all.length });
    assert.ok(answer.letters.length <= 128, 'a batch is bounded');
    all.push(...answer.letters.map(({ to, message }) => `${to} ${JSON.stringify(message)}`));
    more = answer.more;
  }
  return all;
}

test('[RE-17] large: what is kept comes back as the same configuration, of bounded parts', () => {
  const first = clerkWith(site(20_000));
  const stored = storedOf(first);
  assert.ok((stored.parts ?? []).length > 1);
  assert.ok((stored.parts ?? []).every((part) => part.length <= PART));
  const second = createClerk(() => []);
  assert.deepEqual(second.take(stored), { ok: true, value: { hash: first.hash } });
  assert.deepEqual(lettersOf(second, 'backends'), lettersOf(first.clerk, 'backends'));
  assert.equal(lettersOf(second, 'backends').length, 20_000);
});

test('[RE-17] large: content that is not what its hash says is refused', () => {
  const [one, two] = [storedOf(clerkWith(site(10))), storedOf(clerkWith(site(11)))];
  const damages: readonly Stored[] = [
    { ...one, parts: two.parts },
    { ...one, parts: [...(one.parts ?? []), 'AAAA'].reverse() },
    { ...one, parts: ['noise'] },
    { ...one, parts: null },
  ];
  for (const damaged of damages) {
    const taken = createClerk(() => []).take(damaged);
    assert.ok(!taken.ok);
    assert.match(taken.failure, /damaged|not in the store/);
  }
});

test('[RE-9] large: everything that vanished is told, however many names are remembered', () => {
  const before = storedOf(clerkWith(site(3_000, 'old')));
  const { clerk } = clerkWith(site(10));
  const gone = lettersOf(clerk, 'removals', before);
  assert.equal(gone.length, 3_000);
  assert.ok(gone.every((line) => line.startsWith('backend/old-')));
});

test('[RE-18] large: two who ask by turns are each told all of it', () => {
  const before = storedOf(clerkWith(site(300, 'old')));
  const { clerk } = clerkWith(site(300));
  const base = { generation: 3, retired: NOBODY, mayRecreate: false };
  const told = { removals: 0, backends: 0 };
  for (const from of [0, 128, 256]) {
    for (const hook of ['removals', 'backends'] as const) {
      const previous = from === 0 ? before : null;
      told[hook] += clerk.letters({ ...base, hook, previous, from }).letters.length;
    }
  }
  assert.deepEqual(told, { removals: 300, backends: 300 });
});

test('[RE-18] large: what is found out by a comparison is small', () => {
  const { clerk, hash } = clerkWith(site(20_000));
  const before = storedOf(clerkWith(site(20_000, 'old')));
  const read = clerk.compare({ committed: before, booted: null, retired: NOBODY, prepare: false });
  assert.deepEqual([read.hash, read.changes], [hash, 40_000]);
  assert.ok(JSON.stringify(read).length < 300_000, `${JSON.stringify(read).length} characters`);
});

test('[RE-18] large: told batch by batch it is what is derived as a whole', async () => {
  const store = memoryStore();
  const opened = await textConfigFile(
    () => site(1_000),
    () => store,
  ).open();
  assert.ok(opened.ok);
  const told: JsonObject[] = [];
  const order = { generation: 3, retired: NOBODY, previous: null, mayRecreate: false };
  for await (const batch of opened.value.letters({ ...order, hook: 'backends' })) {
    told.push(...batch.map(({ message }) => message as unknown as JsonObject));
  }
  const { clerk } = clerkWith(site(1_000));
  const whole = deriveSite(clerk.atBoot(null), 3);
  assert.equal(whole.backends.length, 0, 'a process that boots takes in none of them');
  assert.equal(told.length, 1_000);
});
