/** The reload machine in every history of four events: its laws after each step. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReloadContext } from '../../machines/reload-memory.js';
import type { Examined } from '../../src/policy/reload.js';
import {
  answers,
  applies,
  ask,
  examined,
  fresh,
  hooked,
  loads,
  type Reload,
  read,
  recorded,
  running,
  UNREADABLE,
} from '../support/reload.js';

const ALL_OR_NOTHING = { mode: 'all-or-nothing' } as const;
const DISRUPTIVE = read('disruptive', { disruptive: ['frontends.cache.encap'] });

interface World {
  readonly reload: Reload;
  /** Callers that have neither an answer nor a place in the machine's memory: must stay empty. */
  readonly open: readonly string[];
  readonly steps: number;
}

function pendingIn({ request, pass: current, queue }: ReloadContext): readonly string[] {
  const asked = current?.askers ?? request?.askers ?? [];
  return [...asked, ...(queue.real?.askers ?? []), ...(queue.dry?.askers ?? [])];
}

const MOVES: readonly {
  readonly name: string;
  readonly move: (world: World) => Reload | undefined;
}[] = [
  { name: 'signal', move: ({ reload }) => ask(reload) },
  { name: 'api', move: ({ reload, steps }) => ask(reload, { replyTo: `real-${steps}` }) },
  {
    name: 'dry',
    move: ({ reload, steps }) => ask(reload, { dryRun: true, replyTo: `dry-${steps}` }),
  },
  { name: 'boot', move: ({ reload }) => ask(reload, { trigger: 'boot' }) },
  { name: 'changed', move: ({ reload, steps }) => whenLoading(reload, read(`content-${steps}`)) },
  {
    name: 'strict',
    move: ({ reload, steps }) => whenLoading(reload, read(`content-${steps}`, ALL_OR_NOTHING)),
  },
  {
    name: 'same',
    move: ({ reload }) => whenLoading(reload, read(reload.context.committed?.hash ?? 'x')),
  },
  { name: 'unreadable', move: ({ reload }) => whenLoading(reload, UNREADABLE) },
  { name: 'disruptive', move: ({ reload }) => whenLoading(reload, DISRUPTIVE) },
  {
    name: 'hook',
    move: ({ reload }) => (reload.value === 'converging' ? hooked(reload) : undefined),
  },
  {
    name: 'hook fails',
    move: ({ reload }) =>
      reload.value === 'converging' ? hooked(reload, { status: 'failed', error: 'no' }) : undefined,
  },
  {
    name: 'late',
    move: ({ reload }) => (reload.value === 'converging' ? reload.fire('hookTimeout') : undefined),
  },
  { name: 'crash', move: ({ reload }) => reload.send({ type: 'activated' }) },
  {
    name: 'reconverge',
    move: ({ reload }) => reload.send({ type: 'reload.reconverge', reason: 'r' } as never),
  },
];

function whenLoading(reload: Reload, found: Examined): Reload | undefined {
  return reload.value === 'loading' ? examined(reload, found) : undefined;
}

const DURABLE = ['converge', 'startHooks'];

function assertLaws(before: Reload, after: Reload, open: readonly string[], trail: string): void {
  const events = recorded(after);
  const risen = after.context.generation - before.context.generation;
  assert.ok(risen === 0 || risen === 1, `RE-4 ${trail}`);
  const commits = ['config.reloaded', 'config.rolled_back'];
  assert.equal(
    risen === 1,
    events.some((event) => commits.includes(event)),
    `RE-4 ${trail}`,
  );
  const isBack = events.includes('config.rolled_back');
  const { committed, previous } = before.context;
  if (isBack) assert.equal(after.context.committed?.hash, previous?.hash, `RE-15 ${trail}`);
  if (isBack) assert.equal(after.context.previous?.hash, committed?.hash, `RE-15 ${trail}`);
  assert.ok(applies(after).length <= 1, `RE-4 one hook at a time: ${trail}`);
  assert.ok(loads(after).length <= 1, `RE-1 ${trail}`);
  assert.ok(loads(after).length === 0 || after.value === 'loading', `RE-1 ${trail}`);
  const durable = after.effects.some(({ type }) => DURABLE.includes(type));
  assert.ok(!durable || events.length > 0, `RE-6 a durable effect without a record: ${trail}`);
  assert.deepEqual([...open].sort(), [...pendingIn(after.context)].sort(), `RE-12 ${trail}`);
  assert.ok(after.value !== 'idle' || pendingIn(after.context).length === 0, `RE-12 ${trail}`);
  assert.ok(!JSON.stringify([after.value]).includes('settled'), `RE-1 ${trail}`);
}

test('[RE-1] [RE-4] [RE-6] [RE-12] reload: the laws hold in every history of four events', () => {
  let histories = 0;
  const explore = (world: World, depth: number, trail: string): void => {
    if (depth === 0) return;
    for (const { name, move } of MOVES) {
      const after = move(world);
      if (after === undefined) continue;
      histories += 1;
      const asker = { api: `real-${world.steps}`, dry: `dry-${world.steps}` }[name];
      const answered = answers(after).flatMap(({ askers }) => askers);
      const asked = [...world.open, ...(asker === undefined ? [] : [asker])];
      assert.deepEqual(
        answered.filter((one) => !asked.includes(one)),
        [],
        `RE-12 ${trail} ${name}`,
      );
      const open = asked.filter((one) => !answered.includes(one));
      assertLaws(world.reload, after, open, `${trail} ${name}`);
      explore({ reload: after, open, steps: world.steps + 1 }, depth - 1, `${trail} ${name}`);
    }
  };
  explore({ reload: fresh(), open: [], steps: 0 }, 4, 'first start:');
  explore({ reload: running(), open: [], steps: 0 }, 4, 'running:');
  assert.ok(histories > 5_000, `${histories} histories`);
});
