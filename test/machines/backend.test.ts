/** The backend machine: the probe loop, verdicts, verbs, and every short history. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProbeParams } from '../../machines/backend.js';
import type { ReplyParams, TestParams } from '../../machines/backend-says.js';
import { addressOf, type FrontendName } from '../../machines/model/ids.js';
import type { BackendMessage } from '../../machines/model/messages.js';
import { probeDelayMs } from '../../src/policy/interval.js';
import {
  type Backend,
  CHECK,
  DIED,
  DISABLE,
  desired,
  ENABLE,
  finish,
  fresh,
  OWNER,
  PAUSE,
  probed,
  RESUME,
  records,
  result,
  SPEC,
  started,
  stateOf,
  told,
  UNCHECKED_SPEC,
  verdicts,
} from '../support/backend-lab.js';

test('[HE-1] [DP-1] backend: the first passing probe makes exactly one transition to up', () => {
  const up = probed(started(), 'P');
  assert.equal(stateOf(up), 'up');
  assert.equal(up.context.count.counter, 2);
  assert.deepEqual(
    up.context.transitions.map(({ from, to, code }) => `${from}>${to} ${code}`),
    ['unknown>up L7OK'],
  );
});

test('[HE-1] [DP-2] backend: the first failing probe goes down and up is never seen', () => {
  const down = probed(started(), 'F');
  assert.deepEqual(
    down.context.transitions.map(({ to }) => to),
    ['down'],
  );
});

test('[HE-7] [DP-16] backend: a verdict goes to the owner and each frontend, with its record beside it', () => {
  const up = probed(started(), 'P');
  const [publication] = verdicts(up);
  assert.deepEqual(publication?.to, [OWNER, 'frontend/web', 'frontend/api']);
  assert.equal(publication?.verdict.state, 'up');
  const [arrival, record] = records(up);
  assert.equal(arrival?.event, 'backend.added');
  assert.equal(record?.event, 'backend.state_changed');
  assert.equal(record?.rule, 'HE-2');
  assert.deepEqual(record?.numbers, {
    from: 'unknown',
    to: 'up',
    counter: 2,
    rise: 2,
    fall: 3,
    code: 'L7OK',
    positive: false,
    reason: undefined,
  });
  assert.equal(record?.publish?.data['state'], 'up');
});

test('[HE-7] backend: episodes differ from turn to turn and hold in between', () => {
  const up = probed(started(), 'PPP');
  const down = probed(up, 'FFF');
  const stillDown = probed(down, 'F');
  assert.notEqual(up.context.verdict?.episode, down.context.verdict?.episode);
  assert.equal(down.context.verdict?.episode, stillDown.context.verdict?.episode);
});

const counts = [
  { rule: 'DP-3', from: 'PPP', probes: 'FF', reads: '2 up' },
  { rule: 'DP-3', from: 'PPP', probes: 'FFF', reads: '1 down' },
  { rule: 'DP-5', from: 'F', probes: 'PFP', reads: '1 down' },
  { rule: 'DP-5', from: 'F', probes: 'PFPP', reads: '2 up' },
];

for (const { rule, from, probes, reads } of counts) {
  test(`[HE-2] [${rule}] backend: after ${from}, ${probes} leads to ${reads}`, () => {
    const backend = probed(probed(started(), from), probes);
    assert.equal(`${backend.context.count.counter} ${stateOf(backend)}`, reads);
  });
}

const dueAfter = [
  { probes: '', ms: 200 },
  { probes: 'PPP', ms: 1_000 },
  { probes: 'PPPF', ms: 200 },
  { probes: 'F', ms: 5_000 },
];

test('[HE-5] [HE-6] [DP-6] backend: waits by the counter, the first probe soon', () => {
  const first = fresh().send(desired(), { random: 0.25 });
  assert.deepEqual(first.timers, { probeDue: 50 });
  for (const { probes, ms } of dueAfter) {
    const nextDue = probes === '' ? probeDelayMs(CHECK, first.context.count, 0.5) : undefined;
    assert.equal(nextDue ?? probed(first, probes).timers['probeDue'], ms, probes);
  }
});

test('[HE-4] backend: a late timeout neither moves the counter nor stops the loop', () => {
  const out = probed(started(), 'P').fire('probeDue');
  const late = finish(out, result(false, { code: 'L4TOUT', late: true }));
  assert.equal(late.context.count.counter, 2);
  assert.deepEqual(Object.keys(late.timers), ['probeDue']);
  assert.equal(late.context.lastProbe?.code, 'L4TOUT');
});

test('[HE-11] backend: an answer to another probe is ignored', () => {
  const out = started().fire('probeDue');
  const { probe } = out.context;
  const stale = out.send({
    type: 'probe.finished',
    probe: probe - 1,
    result: result(true),
  } as never);
  assert.deepEqual(stale.value, out.value);
  assert.equal(stateOf(stale), 'unknown');
  const twice = finish(finish(out, result(true)), result(true));
  assert.equal(twice.context.count.counter, 2);
});

test('[HE-11] backend: an answer from before a restart of the check is ignored', () => {
  const out = started().fire('probeDue');
  const changed = out.send(desired({ address: '10.0.0.99' }));
  assert.equal(stateOf(finish(changed, result(true))), 'unknown');
});

test('[HE-12] backend: a death is believed at once, and proven dead', () => {
  const dead = probed(started(), 'PPP').send(DIED);
  assert.equal(stateOf(dead), 'down');
  assert.equal(dead.context.verdict?.positive, true);
  assert.equal(dead.context.verdict?.code, 'EXITED');
  assert.equal(records(dead)[0]?.rule, 'HE-12');
  assert.deepEqual(dead.send(DIED).effects, []);
});

test('[HE-12] backend: a probe that was out when death came does not raise the dead', () => {
  const rise1 = fresh().send(desired({ probe: { port: 80, check: { ...CHECK, rise: 1 } } }));
  const dead = rise1.fire('probeDue').send(DIED);
  assert.equal(stateOf(finish(dead, result(true))), 'down');
  assert.equal(stateOf(finish(dead.send(DIED), result(true))), 'down');
  assert.equal(stateOf(probed(dead, 'P')), 'up');
});

test('[HE-12] backend: silence that turns out to be refusal strengthens the same episode', () => {
  const silent = probed(started(), 'F');
  const refused = finish(silent.fire('probeDue'), result(false, { code: 'L4CON', positive: true }));
  assert.equal(refused.context.verdict?.positive, true);
  assert.equal(refused.context.verdict?.episode, silent.context.verdict?.episode);
  assert.equal(verdicts(refused).length, 1);
  assert.equal(records(refused).length, 0);
});

test('[HE-13] backend: without a check it is up at once and never probed', () => {
  const up = fresh().send({ type: 'backend.desired', spec: UNCHECKED_SPEC } as BackendMessage);
  assert.equal(stateOf(up), 'up');
  assert.equal(verdicts(up).length, 1);
  assert.deepEqual(up.timers, {});
  assert.equal(stateOf(up.send(DIED)), 'down');
  assert.equal(stateOf(told(told(up, PAUSE), RESUME)), 'up');
});

test('[HE-10] backend: another address or check starts as unknown; frontends do not', () => {
  const up = probed(started(), 'PPP');
  for (const change of [
    { address: '10.0.0.99' },
    { probe: { port: 81, check: CHECK } },
    { probe: { port: 80, check: { ...CHECK, fall: 5 } } },
  ]) {
    const again = up.send(desired(change));
    assert.equal(stateOf(again), 'unknown');
    assert.equal(again.context.count.counter, 1);
    assert.equal(again.context.verdict?.address, change.address ?? SPEC.address);
    assert.deepEqual(Object.keys(again.timers), ['probeDue']);
  }
  const wider = up.send(desired({ frontends: ['web' as FrontendName, 'new' as FrontendName] }));
  assert.equal(stateOf(wider), 'up');
  assert.equal(wider.context.count.counter, 4);
  assert.ok(verdicts(wider)[0]?.to.includes(addressOf('frontend', 'new')));
  assert.equal(records(wider).length, 0);
});

test('[HE-8] [DP-10] backend: paused is not probed; resume starts as unknown and keeps the history', () => {
  const paused = told(probed(started(), 'P'), PAUSE);
  assert.equal(stateOf(paused), 'paused');
  assert.deepEqual(paused.timers, {});
  const up = probed(told(paused, RESUME), 'P');
  assert.deepEqual(
    up.context.transitions.map(({ to }) => to),
    ['up', 'paused', 'unknown', 'up'],
  );
});

test('[HE-8] [DP-11] backend: a disabled one refuses pause and resume and says why', () => {
  const disabled = told(probed(started(), 'P'), DISABLE);
  for (const verb of [PAUSE, RESUME]) {
    const refused = disabled.send(verb, { replyTo: 'ask' });
    assert.equal(stateOf(refused), 'disabled');
    const [reply] = refused.said<ReplyParams>('reply');
    assert.ok(reply !== undefined && !reply.body.ok);
    assert.equal(reply.body.refusal.rule, 'HE-8');
  }
  assert.equal(records(disabled)[0]?.rule, 'operator');
  assert.equal(records(disabled)[0]?.numbers['reason'], 'broken');
  assert.equal(stateOf(told(disabled, ENABLE)), 'unknown');
});

test('[HE-8] [DP-13] backend: disabled by hand survives a reload of the same file, and config decides when it changed', () => {
  const disabled = told(probed(started(), 'P'), DISABLE);
  assert.equal(stateOf(disabled.send(desired())), 'disabled');
  const byConfig = probed(started(), 'P').send(desired({ enabled: false }));
  assert.equal(stateOf(byConfig), 'disabled');
  assert.equal(stateOf(byConfig.send(desired())), 'unknown');
  assert.equal(stateOf(fresh().send(desired({ enabled: false }))), 'disabled');
});

test('[HE-8] backend: before its first spec every verb is refused as not found', () => {
  for (const verb of [PAUSE, RESUME, DISABLE, ENABLE]) {
    const [reply] = fresh().send(verb, { replyTo: 'ask' }).said<ReplyParams>('reply');
    assert.ok(reply !== undefined && !reply.body.ok && reply.body.refusal.code === 'not-found');
  }
});

test('[HE-41] backend: an operator’s own check is made in any state, and changes nothing', () => {
  const up = probed(started(), 'PP');
  for (const backend of [started(), up, told(up, PAUSE), told(up, DISABLE)]) {
    const asked = backend.send({ type: 'backend.test' });
    const said = asked.said<TestParams>('testProbe');
    assert.deepEqual(
      said.map(({ address, probe }) => ({ address, probe })),
      [{ address: SPEC.address, probe: SPEC.probe }],
    );
    assert.deepEqual([asked.value, asked.context], [backend.value, backend.context]);
    assert.deepEqual(asked.timers, backend.timers);
  }
});

test('[HE-41] backend: without a check, or before its first spec, there is nothing to test', () => {
  const unchecked = fresh().send({
    type: 'backend.desired',
    spec: UNCHECKED_SPEC,
  } as BackendMessage);
  for (const [backend, code] of [
    [fresh(), 'not-found'],
    [unchecked, 'refused'],
  ] as const) {
    const asked = backend.send({ type: 'backend.test' });
    assert.deepEqual(asked.said('testProbe'), []);
    const [reply] = asked.said<ReplyParams>('reply');
    assert.ok(reply?.body.ok === false);
    assert.equal(reply.body.refusal.code, code);
  }
});

test('[HE-9] backend: keeps its last ten transitions', () => {
  let flapping = started();
  for (let turn = 0; turn < 8; turn += 1) {
    flapping = told(told(flapping, PAUSE), RESUME);
  }
  assert.equal(flapping.context.transitions.length, 10);
});

test('[HE-14] backend: removed is told to nobody, probes no more, and forgets itself', () => {
  const removed = probed(started(), 'P').send({ type: 'backend.removed' });
  assert.deepEqual(
    removed.effects.map(({ type }) => type),
    ['tellHearing', 'orderOverride', 'record', 'forget'],
  );
  assert.deepEqual(removed.said('orderOverride'), [undefined]);
  assert.deepEqual(removed.timers, {});
  assert.deepEqual(removed.send(DISABLE).effects, []);
});

test('[HE-18] backend: whoever hears of its state has heard of it before, and hears of its end', () => {
  const told = (backend: Backend) =>
    records(backend).map(({ event, publish }) => `${event} ${publish?.data['state']}`);
  const presences = (backend: Backend) => records(backend).map(({ publish }) => publish?.presence);
  assert.deepEqual(told(started()), [], 'nothing is known yet');
  for (const first of [probed(started(), 'P'), probed(started(), 'F'), started().send(DIED)]) {
    assert.deepEqual(presences(first), ['arrives', undefined]);
  }
  const unchecked = fresh().send({ type: 'backend.desired', spec: UNCHECKED_SPEC } as never);
  assert.deepEqual(told(unchecked), ['backend.added up']);
  const removed = probed(started(), 'P').send({ type: 'backend.removed' });
  assert.deepEqual([told(removed), presences(removed)], [['backend.removed removed'], ['leaves']]);
  // Of an earlier life of the node somebody may know it.
  assert.deepEqual(presences(fresh().send({ type: 'backend.removed' })), ['leaves']);
});

test('[HE-15] backend: a request to publish repeats the verdict and changes nothing', () => {
  const up = probed(started(), 'P');
  const asked = up.send({ type: 'publish.request' });
  assert.deepEqual(verdicts(asked), [verdicts(up)[0]]);
  assert.deepEqual(asked.context, up.context);
  assert.deepEqual(fresh().send({ type: 'publish.request' }).effects, []);
});

test('[HE-2] [HE-8] [HE-11] backend: holds in every history of up to six events', () => {
  const moves: readonly ((backend: Backend) => Backend)[] = [
    (backend) => ('probeDue' in backend.timers ? backend.fire('probeDue') : backend),
    (backend) => finish(backend, result(true)),
    (backend) => finish(backend, result(false)),
    (backend) => told(backend, PAUSE),
    (backend) => told(backend, RESUME),
    (backend) => told(backend, DISABLE),
    (backend) => told(backend, ENABLE),
    (backend) => backend.send(DIED),
  ];
  const explore = (before: Backend, depth: number): void => {
    if (depth === 0) return;
    for (const move of moves) {
      const after = move(before);
      holds(before, after);
      const nothingHappened = after.effects.length === 0 && after.context === before.context;
      if (!nothingHappened) explore(after, depth - 1);
    }
  };
  explore(started(), 6);
});

function holds(before: Backend, after: Backend): void {
  const from = stateOf(before);
  const to = stateOf(after);
  const health = ['unknown', 'up', 'down'];
  const live = health.includes(to ?? '');
  assert.equal(typeof after.value === 'object', live, 'the state value and the verdict agree');
  if (!live) assert.deepEqual(after.timers, {}, 'HE-8: nobody probes a paused or disabled backend');
  if (live && health.includes(from ?? '')) {
    assert.ok(!(after.said('probe').length > 1), 'one probe at a time');
  }
  if (live) assert.equal('probeDue' in after.timers, !after.context.outstanding, 'the loop lives');
  if (from === to) return;
  assert.equal(verdicts(after).length, 1, 'a turn is told once');
  const turns = records(after).filter(({ publish }) => publish?.presence === undefined);
  assert.equal(turns.length, 1, 'a turn is recorded once');
  assert.notEqual(before.context.verdict?.episode, after.context.verdict?.episode, 'HE-7');
  const probes = after.said<ProbeParams>('probe').length;
  assert.equal(probes, 0, 'a turn probes nothing by itself');
}

test('[HE-63] backend: told again what to be, it says again whether it answers', () => {
  const up = probed(started(), 'P');
  const again = up.send(desired({ generation: 2 }));
  assert.deepEqual(again.said('tellHearing'), [
    { type: 'hearing.level', backend: 'b1', hearing: 'answers', doubts: false, round: 0 },
  ]);
  assert.deepEqual(probed(up, 'P').said('tellHearing'), [], 'and not with every probe');
});
