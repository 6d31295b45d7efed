/** The reload machine: what a pass concludes, how triggers share passes, what a crash leaves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordParams } from '../../machines/model/effects.js';
import { HOOKS, type Names, NOBODY, reloadLimits, retire } from '../../src/policy/reload.js';
import {
  APPLIED_HOOKS,
  answers,
  applies,
  ask,
  bodyOf,
  converges,
  examined,
  fresh,
  hooked,
  hookedAll,
  lastOf,
  loads,
  pass,
  type Reload,
  read,
  recorded,
  running,
  SENSELESS,
  UNREADABLE,
} from '../support/reload.js';

test('[RE-4] reload: the first boot commits generation 1 and begins with its first hook', () => {
  const committed = examined(ask(fresh(), { trigger: 'boot' }), read('one'));
  assert.equal(committed.value, 'converging');
  assert.equal(committed.context.generation, 1);
  assert.deepEqual(recorded(committed), ['config.reloaded']);
  assert.deepEqual(
    applies(committed).map(({ pass: _, ...params }) => params),
    [
      {
        hook: 'log_level',
        kept: { hash: 'one' },
        generation: 1,
        retired: NOBODY,
        previous: null,
        mayRecreate: false,
      },
    ],
  );
});

test('[RE-4] reload: hooks are applied one by one, in their order, each with its outcome', () => {
  let at = examined(ask(running()), read('two'));
  const order: (string | null | undefined)[] = [];
  while (at.value === 'converging') {
    order.push(...applies(at).map(({ hook }) => hook));
    at = hooked(at);
  }
  assert.deepEqual(order, [...APPLIED_HOOKS]);
  assert.equal(lastOf(at).status, 'full_success');
  assert.deepEqual(
    lastOf(at).outcomes.map(({ name, status }) => `${name} ${status}`),
    HOOKS.map((name) => {
      const isApplied = (APPLIED_HOOKS as readonly string[]).includes(name);
      return `${name} ${isApplied ? 'applied' : 'skipped'}`;
    }),
  );
});

test('[RE-4] reload: the names of hooks and their order stay', () => {
  assert.equal(
    HOOKS.join(' '),
    'log_level tls_certificate inspector retention watch_file feed guards providers pools dataplane ' +
      'outbox tenancy backends frontends tenants ordered_groups removals',
  );
});

test('[RE-4] reload: a hook that fails makes the pass partial; the others are applied', () => {
  const failing = { pools: { status: 'failed', error: 'no room' } } as const;
  const done = hookedAll(examined(ask(running()), read('two')), failing);
  assert.equal(lastOf(done).status, 'partial_applied');
  assert.equal(done.context.generation, 2);
  assert.deepEqual(
    lastOf(done)
      .outcomes.filter(({ status }) => status !== 'skipped')
      .map(({ name, status, error = '' }) => `${name} ${status} ${error}`.trim()),
    ['log_level applied', 'pools failed no room', 'tenants applied'],
  );
  assert.deepEqual(recorded(done), ['config.reload_failed']);
});

test('[RE-11] reload: each hook has its own time; one that uses it up is timed out', () => {
  const first = examined(ask(running()), read('two', { hookTimeoutMs: 250 }));
  assert.deepEqual(first.timers, { hookTimeout: 250 });
  const second = first.fire('hookTimeout');
  assert.equal(second.value, 'converging');
  assert.deepEqual(second.timers, { hookTimeout: 250 });
  assert.equal(applies(second)[0]?.hook, 'pools');
  const done = hookedAll(second);
  assert.equal(done.value, 'idle');
  assert.equal(lastOf(done).status, 'partial_applied');
  assert.equal(lastOf(done).outcomes[0]?.status, 'timed_out');
});

test('[RE-11] reload: the last hook too may use up its time', () => {
  const last = hooked(hooked(examined(ask(running()), read('two'))));
  const done = last.fire('hookTimeout');
  assert.equal(done.value, 'idle');
  assert.equal(lastOf(done).outcomes.find(({ name }) => name === 'tenants')?.status, 'timed_out');
});

test('[RE-11] reload: an answer of an earlier pass, or of a hook given up, is taken for no other', () => {
  const late = hookedAll(examined(ask(running()), read('two')).fire('hookTimeout'));
  const waiting = examined(ask(late), read('three'));
  const applied = { name: 'log_level', status: 'applied' };
  const stray = { type: 'hook.finished', pass: 'earlier', outcome: applied };
  assert.equal(waiting.send(stray as never).context.pass?.hook, 'log_level');
  const second = waiting.fire('hookTimeout');
  const own = { ...stray, pass: second.context.pass?.id };
  assert.equal(second.send(own as never).context.pass?.hook, 'pools');
});

test('[RE-3] reload: every hook that could not apply it is named before anything is committed', () => {
  const unprepared = [
    { name: 'tls_certificate', status: 'failed', error: 'expired' },
    { name: 'providers', status: 'failed', error: 'no such program' },
  ] as const;
  const problems = [{ line: 3, column: 1, message: 'expired' }];
  const after = pass(running(), read('two', { unprepared, problems, disruptive: ['a.b'] }));
  const { status, outcomes, generation } = lastOf(after);
  assert.deepEqual([status, generation], ['validation_failed', 1]);
  assert.deepEqual(
    outcomes.map(({ name }) => name),
    ['tls_certificate', 'providers', 'dataplane'],
  );
  assert.deepEqual(lastOf(after).problems, problems);
  assert.deepEqual(applies(after), []);
});

const REFUSALS = [
  { name: 'an unreadable file', found: UNREADABLE, status: 'load_failed', rule: 'RE-2' },
  {
    name: 'a file that makes no sense',
    found: SENSELESS,
    status: 'validation_failed',
    rule: 'RE-2',
  },
  {
    name: 'a disruptive change',
    found: read('two', { disruptive: ['frontends.cache.encap'] }),
    status: 'validation_failed',
    rule: 'RE-3',
  },
] as const;

for (const { name, found, status, rule } of REFUSALS) {
  test(`[${rule}] reload: ${name} changes nothing`, () => {
    const before = running();
    const after = pass(before, found, { replyTo: 'me' });
    const { generation, committed, booted } = after.context;
    assert.equal(lastOf(after).status, status);
    assert.deepEqual(
      { generation, committed, booted },
      {
        generation: before.context.generation,
        committed: before.context.committed,
        booted: before.context.booted,
      },
    );
    assert.deepEqual(recorded(after), ['config.reload_failed']);
    assert.equal(after.said<RecordParams>('record')[0]?.rule, rule);
    assert.deepEqual(applies(after), []);
    assert.deepEqual(answers(after)[0]?.askers, ['me']);
  });
}

test('[RE-2] reload: a load error is told in one sentence, problems with their places', () => {
  const { loadError, problems } = lastOf(pass(running(), UNREADABLE));
  assert.equal(loadError, 'not YAML');
  assert.deepEqual(problems, UNREADABLE.kind === 'unreadable' ? UNREADABLE.problems : []);
});

test('[RE-3] reload: a refused disruptive change names its fields', () => {
  const { outcomes, disruptive } = lastOf(pass(running(), REFUSALS[2].found));
  assert.deepEqual(disruptive, ['frontends.cache.encap']);
  assert.deepEqual(outcomes, [
    {
      name: 'dataplane',
      status: 'failed',
      error: 'needs --disruptive, since it interrupts traffic: frontends.cache.encap',
    },
  ]);
});

test('[RE-3] reload: with consent a disruptive change is committed', () => {
  const after = pass(running(), REFUSALS[2].found, { disruptive: true });
  assert.equal(lastOf(after).status, 'full_success');
  assert.equal(after.context.generation, 2);
});

test('[RE-5] reload: an equal file changes nothing and calls no hook', () => {
  const after = pass(running(), read('one'));
  assert.equal(lastOf(after).status, 'unchanged');
  assert.equal(after.context.generation, 1);
  assert.deepEqual(recorded(after), ['config.unchanged']);
  assert.deepEqual(applies(after), []);
  assert.deepEqual(converges(after), []);
});

test('[RE-14] reload: with consent an equal file is converged to again, in its generation', () => {
  const consented = examined(ask(running(), { disruptive: true }), read('one'));
  assert.deepEqual(recorded(consented), ['config.permitted']);
  const [told] = applies(consented);
  assert.deepEqual([told?.generation, told?.mayRecreate], [1, true]);
  assert.equal(lastOf(hookedAll(consented)).status, 'unchanged');
});

test('[RE-5] reload: a new process with the same file converges to the same generation', () => {
  const booted = examined(ask(running(), { trigger: 'boot' }), read('one'));
  assert.deepEqual(recorded(booted), ['config.booted']);
  assert.equal(applies(booted)[0]?.generation, 1);
  const done = hookedAll(booted);
  assert.equal(lastOf(done).status, 'unchanged');
  assert.equal(done.context.generation, 1);
});

test('[RE-2] reload: a new process with a refused file goes on with the committed one', () => {
  for (const { found } of REFUSALS) {
    const booted = pass(running(), found, { trigger: 'boot' });
    assert.equal(booted.value, 'idle');
    assert.equal(converges(booted)[0]?.kept.hash, 'one');
    assert.deepEqual(recorded(booted), ['config.reload_failed']);
  }
});

test('[RE-7] reload: what needs a restart is judged against what the process booted with', () => {
  const asked = ask(running());
  const request = { trigger: 'signal', dryRun: false, disruptive: false };
  const booted = { content: 'one' };
  assert.deepEqual(loads(asked), [
    { committed: { hash: 'one' }, booted, retired: NOBODY, request },
  ]);
  const second = pass(running(), read('two', { requiresRestart: ['admin.listen'] }));
  assert.deepEqual(loads(ask(second))[0]?.booted, { content: 'one' });
  assert.deepEqual(lastOf(pass(second, UNREADABLE)).requiresRestart, ['admin.listen']);
});

test('[RE-7] reload: a new process boots with what it reads', () => {
  const asked = ask(running(), { trigger: 'boot' });
  assert.equal(loads(asked)[0]?.booted, null);
  const booted = hookedAll(examined(asked, read('two')));
  assert.deepEqual(booted.context.booted, { content: 'two' });
});

const DRY_RUNS = [
  { name: 'a change', found: read('two'), status: 'full_success' },
  { name: 'no change', found: read('one'), status: 'unchanged' },
  { name: 'an unreadable file', found: UNREADABLE, status: 'load_failed' },
  { name: 'a disruptive change', found: REFUSALS[2].found, status: 'validation_failed' },
] as const;

for (const { name, found, status } of DRY_RUNS) {
  test(`[RE-8] reload: a dry run of ${name} answers and commits nothing`, () => {
    const before = running();
    const after = pass(before, found, { dryRun: true, replyTo: 'me' });
    const { ok, dryRun, status: said } = bodyOf(after);
    assert.deepEqual({ ok, dryRun, said }, { ok: true, dryRun: true, said: status });
    assert.deepEqual(recorded(after), []);
    assert.deepEqual(after.context.committed, before.context.committed);
    assert.deepEqual(after.context.history, before.context.history);
    assert.deepEqual(applies(after), []);
  });
}

test('[RE-1] reload: fifty signals during a pass are one more pass', () => {
  const busy = Array.from({ length: 50 }).reduce<Reload>((at) => ask(at), ask(running()));
  assert.equal(busy.value, 'loading');
  const next = hookedAll(examined(busy, read('two')));
  assert.equal(next.value, 'loading');
  assert.equal(loads(next).length, 1);
  const last = hookedAll(examined(next, read('three')));
  assert.equal(last.value, 'idle');
  assert.equal(last.context.generation, 3);
});

test('[RE-1] reload: a dry run never rides on a real pass, nor the other way round', () => {
  const busy = ask(ask(ask(running()), { dryRun: true, replyTo: 'dry' }), { replyTo: 'real' });
  const first = hookedAll(examined(busy, read('two')));
  const second = hookedAll(examined(first, read('three')));
  assert.deepEqual(answers(second)[0]?.askers, ['real']);
  const third = examined(second, read('four'));
  assert.deepEqual(answers(third)[0]?.askers, ['dry']);
  assert.equal(third.context.generation, 3);
});

test('[RE-1] reload: who joins with consent gives it to the pass', () => {
  const busy = ask(ask(ask(running()), {}), { disruptive: true });
  const first = hookedAll(examined(busy, read('two')));
  const second = examined(first, read('three', { disruptive: ['frontends.cache.encap'] }));
  assert.equal(second.value, 'converging');
});

test('[RE-1] [RE-12] reload: one caller too many is refused at once', () => {
  const crowd = Array.from({ length: reloadLimits.askersMax }, (_, index) => `caller-${index}`);
  const full = crowd.reduce((at, replyTo) => ask(at, { replyTo }), ask(running()));
  const over = ask(full, { replyTo: 'late' });
  assert.deepEqual(answers(over)[0]?.askers, ['late']);
  assert.equal(bodyOf(over)['ok'], false);
  const served = hookedAll(examined(hookedAll(examined(over, read('two'))), read('three')));
  assert.deepEqual(answers(served)[0]?.askers, crowd);
});

test('[RE-6] reload: a crash while converging drives the same generation again, from its first hook', () => {
  const second = hooked(examined(ask(running()), read('two')));
  assert.equal(applies(second)[0]?.hook, 'pools');
  const cut = examined(ask(running()), read('two')).send({ type: 'activated' });
  assert.equal(cut.value, 'converging');
  assert.deepEqual(recorded(cut), ['config.redriven']);
  assert.deepEqual([applies(cut)[0]?.generation, applies(cut)[0]?.hook], [2, 'log_level']);
  assert.equal(hookedAll(cut).value, 'idle');
});

test('[RE-6] reload: a crash while loading reads again', () => {
  const cut = ask(running()).send({ type: 'activated' });
  assert.equal(cut.value, 'loading');
  assert.equal(loads(cut).length, 1);
});

test('[RE-6] reload: who came back empty is told again, in any state', () => {
  for (const at of [running(), ask(running()), examined(ask(running()), read('two'))]) {
    const again = at.send({ type: 'reload.reconverge', reason: 'shard-2 restarted' } as never);
    assert.equal(again.value, at.value);
    assert.deepEqual(recorded(again), ['config.reconverged']);
    assert.equal(converges(again)[0]?.generation, at.context.generation);
  }
});

test('[RE-6] reload: before the first commit there is nothing to tell', () => {
  const again = fresh().send({ type: 'reload.reconverge', reason: 'early' } as never);
  assert.deepEqual(again.effects, []);
});

test('[RE-8] reload: a dry run has the plan, and no other result has', () => {
  const plan = { instances: [], dataplane: [] };
  const dry = pass(running(), read('two', { plan }), { dryRun: true, replyTo: 'me' });
  assert.deepEqual(bodyOf(dry)['plan'], plan);
  assert.equal(
    bodyOf(pass(running(), read('two', { plan }), { replyTo: 'me' }))['plan'],
    undefined,
  );
});

const names = (...backends: readonly string[]): Names => ({ ...NOBODY, backends });

test('[RE-9] reload: what vanished is told with its commit and every convergence after it', () => {
  const two = examined(ask(running()), read('two', { retired: names('a') }));
  assert.deepEqual(
    [applies(two)[0]?.retired, applies(two)[0]?.previous],
    [names('a'), { hash: 'one' }],
  );
  const done = hookedAll(two);
  assert.deepEqual(loads(ask(done))[0]?.retired, names('a'));
  const again = done.send({ type: 'reload.reconverge', reason: 'r' } as never);
  assert.deepEqual(converges(again)[0]?.retired, names('a'));
  const booted = examined(ask(done, { trigger: 'boot' }), read('two', { retired: names('a') }));
  assert.deepEqual(applies(booted)[0]?.previous, { hash: 'one' });
});

test('[RE-9] reload: names are remembered until they are back, the newest while there is room', () => {
  const two = retire(NOBODY, names('a', 'b'), names('b'));
  assert.deepEqual(two, names('a'));
  const three = retire(two, names('b'), names('c'));
  assert.deepEqual(three, names('b', 'a'));
  assert.deepEqual(retire(three, names('c'), names('a', 'c')), names('b'));
  const many = Array.from({ length: reloadLimits.retiredMax + 5 }, (_, index) => `b${index}`);
  const some = retire(names(...many), names('fresh'), NOBODY);
  assert.equal(some.backends.length, reloadLimits.retiredMax);
  assert.equal(some.backends[0], 'fresh');
});

test('[RE-10] reload: the history keeps the last fifty results, newest first', () => {
  const contents = Array.from({ length: 60 }, (_, index) => `content-${index}`);
  const done = contents.reduce((at, content) => pass(at, read(content)), fresh());
  const generations = done.context.history.map(({ generation }) => generation);
  assert.deepEqual(
    generations,
    Array.from({ length: 50 }, (_, index) => 60 - index),
  );
});

test('[RE-10] reload: a long list of problems is kept short in the history, whole in the answer', () => {
  const problems = Array.from({ length: 200 }, (_, line) => ({
    line,
    message: 'm',
    code: 'parse',
  }));
  const after = pass(running(), { kind: 'unreadable', problems }, { replyTo: 'me' });
  assert.equal(lastOf(after).problems.length, reloadLimits.entriesKeptMax);
  assert.deepEqual(bodyOf(after)['problems'], problems);
});
