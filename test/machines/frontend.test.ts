/** The frontend machine: one VIP's life, what verdicts do to it, and every short history. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusParams } from '../../machines/frontend-messages.js';
import type { RecordParams } from '../../machines/model/effects.js';
import type { FrontendMessage, HealthState } from '../../machines/model/messages.js';
import {
  after,
  allUp,
  B1,
  B2,
  B3,
  backend,
  committed,
  created,
  desired,
  type Frontend,
  fresh,
  GROUPED,
  I1,
  level,
  OWNER,
  records,
  report,
  sends,
  sent,
  verdict,
  WEB,
} from '../support/frontend-lab.js';

// --- a life -----------------------------------------------------------------------------------

test('[FE-10] frontend: a new spec is recorded first, and reaches lbsync when it is on disk', () => {
  const decided = fresh().send(desired());
  assert.deepEqual(records(decided), ['frontend.desired_changed']);
  assert.deepEqual(decided.said('confirm'), [{ revision: 1 }]);
  assert.deepEqual(sends(decided), []);
  const [vip] = sends(committed(decided));
  assert.deepEqual(vip, {
    frontend: WEB,
    vip: { address: '192.0.2.1', prefixLength: 32, protocol: 'tcp', port: 443 },
    attributes: { encap: 'gre4', dscp: 0, srcIpSticky: false, tableLength: 1024 },
    servers: [],
    priority: 100,
    revision: 3000,
  });
});

test('[FE-9] [FE-11] frontend: members enter at their first up, scaled, in ascending order', () => {
  const first = after(created(), verdict('b2', 'up'));
  assert.equal(sent(first), '.12=1');
  assert.equal(sent(allUp()), '.11=2 .12=1 .21=0');
  assert.deepEqual(records(first), ['frontend.state_changed']);
});

test('[FE-60] frontend: that VPP has what was decided is told once for each decision and outcome', () => {
  const synced = after(allUp(), report({ [B1]: 2, [B2]: 1, [B3]: 0 }));
  assert.deepEqual(records(synced), ['frontend.synced']);
  const [record] = synced.said<RecordParams>('record');
  assert.deepEqual(record?.numbers, { servers: 3, weighted: 2, generation: 1 });
  assert.equal(record?.publish?.data['synced'], true);
  const moved = after(synced, verdict('b2', 'down'));
  const again = after(moved, report({ [B1]: 2, [B2]: 0, [B3]: 0 }));
  assert.deepEqual(records(again), [], 'weights that follow verdicts are told by the backends');
  const problem = { synced: false, problem: 'VPP says no' };
  const failed = after(again, report({}, problem));
  assert.deepEqual(records(failed), ['frontend.sync_failed']);
  assert.deepEqual(records(after(failed, report({}, problem))), []);
  assert.deepEqual(records(after(failed, report({ [B1]: 2 }))), ['frontend.synced']);
  const decided = after(again, desired({ priority: 7 }));
  assert.deepEqual(records(decided), ['frontend.desired_changed'], 'VPP has the one before');
  const next = committed(decided);
  assert.deepEqual(records(after(next, report({ [B1]: 2, [B2]: 0 }))), ['frontend.synced']);
});

test('[FE-60] frontend: a restart tells nothing anew of what VPP still has', () => {
  const seen = report({ [B1]: 2, [B2]: 1, [B3]: 0 });
  const ups = [verdict('b1', 'up'), verdict('b2', 'up'), verdict('b3', 'up')];
  const synced = after(allUp(), seen);
  const restarted = after(synced.send({ type: 'activated' } as never), seen, ...ups, seen);
  assert.deepEqual(records(restarted), []);
  assert.ok(restarted.context.report?.synced);
  // Decided, and then the node went away before VPP had it.
  const decided = after(synced, desired({ priority: 7 }));
  const late = after(decided.send({ type: 'activated' } as never), seen, ...ups, seen);
  assert.deepEqual(records(late), ['frontend.synced']);
});

test('[FE-10] frontend: a verdict during a pending change acts at once, on the spec VPP has', () => {
  const pools = [{ name: 'primary', members: [backend('b2', B2)] }];
  const pending = allUp().send(desired({ pools }));
  assert.deepEqual(sends(pending), []);
  const down = after(pending, verdict('b2', 'down'));
  assert.equal(sent(down), '.11=2 .12=0! .21=0');
  assert.equal(sent(committed(down)), '.12=0!');
});

test('[FE-10] frontend: only the confirmation of the newest change counts', () => {
  const first = allUp().send(desired({ flushOnDown: false }));
  const second = first.send(desired({ port: 80 }));
  const early = second.send({ type: 'frontend.decided', revision: 2 } as never);
  assert.deepEqual(sends(early), []);
  assert.equal(sends(committed(second))[0]?.vip.port, 80);
});

test('[FE-10] frontend: the same spec of another generation decides nothing and is answered', () => {
  const again = allUp().send(desired({ generation: 2 }));
  assert.deepEqual(records(again), []);
  assert.deepEqual(sends(again), []);
  assert.equal(again.said<StatusParams>('tellStatus')[0]?.to, OWNER);
});

test('[FE-16] frontend: the encapsulation follows the members, and an empty VIP keeps it', () => {
  const six = { pools: [{ name: 'p', members: [backend('b1', '2001:db8::1')] }] };
  assert.equal(sends(created(six))[0]?.attributes.encap, 'gre6');
  assert.equal(sends(created({ ...GROUPED, address: '2001:db8::9' }))[0]?.attributes.encap, 'gre6');
  assert.equal(sends(created({ encap: 'l3dsr' }))[0]?.attributes.encap, 'l3dsr');
  const v6Vip = created({ ...GROUPED, address: '2001:db8::9' });
  const joined = after(v6Vip, level(I1), verdict(I1, 'up'));
  assert.equal(joined.context.sent?.attributes.encap, 'gre4');
  const left = after(joined, level(I1, { phase: 'out', dead: true }), report({}));
  assert.deepEqual(Object.keys(left.context.members), []);
  assert.equal(left.context.sent?.attributes.encap, 'gre4');
});

// --- verdicts ---------------------------------------------------------------------------------

test('[FE-5] frontend: down is told at once with its episode, and recorded only when the VIP turns', () => {
  const down = allUp().send(verdict('b1', 'down'));
  assert.deepEqual(
    down.effects.map(({ type }) => type),
    ['sendDesired'],
  );
  assert.equal(sent(down), '.11=0! .12=1 .21=0');
  const server = down.context.sent?.servers[0];
  assert.equal(server?.flushEpisode, 'b1 down');
});

test('[FE-6] [FE-7] frontend: fails over at once, and back after the hold', () => {
  const over = after(allUp(), verdict('b1', 'down'), verdict('b2', 'down'));
  assert.equal(sent(over), '.11=0! .12=0! .21=1'.replace('.21=1', '.21=2'));
  assert.deepEqual(records(over), ['frontend.state_changed']);
  const back = over.send(verdict('b1', 'up'), { at: 50_000 });
  assert.equal(sent(back), '.11=0 .12=0! .21=2');
  assert.equal(back.timers['failBackDue'], 10_000);
  const held = back.fire('failBackDue', { at: 60_000 });
  assert.equal(sent(held), '.11=2 .12=0! .21=0');
  assert.equal(held.timers['failBackDue'], undefined);
  const flapped = back.send(verdict('b1', 'down'), { at: 55_000 });
  assert.equal(flapped.timers['failBackDue'], undefined);
});

test('[FE-2] frontend: the last one down keeps its weight, the frontend says down', () => {
  const down = after(allUp(), ...['b1', 'b3', 'b2'].map((name) => verdict(name, 'down')));
  assert.equal(sent(down), '.11=0! .12=1 .21=0!');
  assert.equal(down.context.state, 'down');
  assert.equal(down.said<StatusParams>('tellStatus')[0]?.status.state, 'down');
  assert.equal(sent(down.send(verdict('b1', 'up'))), '.11=2 .12=0! .21=0!');
});

test('[FE-1] frontend: a backend that becomes unknown changes nothing', () => {
  const unknown = allUp().send(verdict('b1', 'unknown'));
  assert.deepEqual(unknown.effects, []);
  assert.equal(sent(unknown), '.11=2 .12=1 .21=0');
});

test('[FE-1] frontend: a backend that moved leaves its old AS until the new one passed', () => {
  const pools = [
    { name: 'primary', members: [backend('b1', '10.0.0.99'), backend('b2', B2, 50)] },
    { name: 'fallback', members: [backend('b3', B3)] },
  ];
  const moved = committed(allUp().send(desired({ pools })));
  assert.equal(sent(moved), '.11=2 .12=1 .21=0');
  const verdictAt = (address: string, state: HealthState) => {
    const message = verdict('b1', state);
    assert.ok(message.type === 'backend.verdict');
    return { ...message, verdict: { ...message.verdict, address } };
  };
  assert.equal(sent(moved.send(verdictAt(B1, 'down'))), '.11=2 .12=1 .21=0');
  assert.equal(sent(moved.send(verdictAt('10.0.0.99', 'up'))), '.12=1 .21=0 .99=2');
  const back = committed(moved.send(desired()));
  assert.equal(sent(back), '.11=2 .12=1 .21=0');
});

// --- every short history ----------------------------------------------------------------------

test('[FE-1] [FE-2] [FE-10] frontend: holds in every history of up to five events', () => {
  const events: readonly FrontendMessage[] = [
    verdict('b1', 'up'),
    verdict('b1', 'down'),
    verdict('b1', 'unknown'),
    verdict('b2', 'up'),
    verdict('b2', 'down', true),
    verdict('b3', 'up'),
    verdict('b3', 'down'),
  ];
  const explore = (before: Frontend, depth: number): void => {
    if (depth === 0) return;
    for (const event of events) {
      const next = before.send(event);
      holds(before, next, event);
      if (next.context !== before.context) explore(next, depth - 1);
    }
  };
  explore(created(), 5);
  explore(allUp(), 5);
});

const total = (frontend: Frontend): number =>
  (frontend.context.sent?.servers ?? []).reduce((sum, { weight }) => sum + weight, 0);

function holds(before: Frontend, next: Frontend, event: FrontendMessage): void {
  if (total(before) > 0) assert.ok(total(next) > 0, 'FE-2: health alone never empties a VIP');
  if (event.type === 'backend.verdict' && event.verdict.state === 'unknown') {
    assert.equal(sent(next).replaceAll('!', ''), sent(before).replaceAll('!', ''), 'FE-1');
  }
  for (const { weight, flushEpisode } of next.context.sent?.servers ?? []) {
    assert.ok(weight === 0 || flushEpisode === undefined, 'FE-5: only weight 0 is flushed');
  }
  assert.ok(sends(next).length <= 1, 'one event, at most one VIP');
  const turned = next.context.state !== before.context.state;
  const switched = next.context.choice.active !== before.context.choice.active;
  assert.equal(records(next).length, turned || switched ? 1 : 0, 'a turn is recorded, once');
}
