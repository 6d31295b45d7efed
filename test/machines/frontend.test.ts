/** The frontend machine: one VIP's life, who is told what and when, and every short history. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frontendMachine } from '../../machines/frontend.js';
import type { FrontendMemory } from '../../machines/frontend-memory.js';
import type {
  AckParams,
  AskParams,
  PoolCall,
  StatusParams,
} from '../../machines/frontend-messages.js';
import { shapeOf } from '../../machines/frontend-shape.js';
import type { FrontendSpec, PoolMemberSpec } from '../../machines/model/desired.js';
import type { RecordParams } from '../../machines/model/effects.js';
import {
  addressOf,
  type BackendName,
  type FrontendName,
  type GroupKey,
  type InstanceId,
} from '../../machines/model/ids.js';
import type { DesiredVip } from '../../machines/model/lb.js';
import type {
  FrontendMessage,
  HealthState,
  MemberLevel,
  VipReport,
} from '../../machines/model/messages.js';
import { type Driven, drive } from '../support/drive.js';

type Frontend = Driven<FrontendMemory>;

const WEB = 'web' as FrontendName;
const GROUP = 'acme/web' as GroupKey;
const OWNER = addressOf('tenant', 'acme');
const I1 = 'i-0000-000000000001' as InstanceId;
const I2 = 'i-0000-000000000002' as InstanceId;

const backend = (name: string, address: string, weight = 100): PoolMemberSpec => ({
  ref: { kind: 'backend', backend: name as BackendName, address },
  weight,
});
const group: PoolMemberSpec = { ref: { kind: 'group', group: GROUP, maxSize: 4 }, weight: 100 };

const B1 = '10.0.0.11';
const B2 = '10.0.0.12';
const B3 = '10.0.0.21';
const ADDRESSES: Readonly<Record<string, string>> = {
  b1: B1,
  b2: B2,
  b3: B3,
  [I1]: '10.1.0.1',
  [I2]: '10.1.0.2',
};

const SPEC: FrontendSpec = {
  name: WEB,
  address: '192.0.2.1',
  protocol: 'tcp',
  port: 443,
  encap: 'auto',
  dscp: 0,
  srcIpSticky: false,
  weightScale: 'reduced',
  flushOnDown: true,
  unknown: 'keep',
  allDown: 'keep',
  activeWhile: 0.3,
  failBack: { at: 0.5, holdForMs: 10_000 },
  priority: 100,
  pools: [
    { name: 'primary', members: [backend('b1', B1, 100), backend('b2', B2, 50)] },
    { name: 'fallback', members: [backend('b3', B3, 100)] },
  ],
  generation: 1,
};
const GROUPED: Partial<FrontendSpec> = { pools: [{ name: 'primary', members: [group] }] };
const { address: _literal, ...NO_ADDRESS } = SPEC;
const POOLED: FrontendSpec = { ...NO_ADDRESS, addressFrom: 'public' };

const desired = (change: Partial<FrontendSpec> = {}): FrontendMessage => ({
  type: 'frontend.desired',
  spec: { ...SPEC, ...change },
  owner: OWNER,
});

function verdict(name: string, state: HealthState, positive = false): FrontendMessage {
  const address = ADDRESSES[name] ?? '';
  const episode = `${name} ${state}`;
  const base = { backend: name as BackendName, address, state, positive, episode };
  return { type: 'backend.verdict', verdict: { ...base, sinceMs: 0, code: 'L4OK' } };
}

function level(member: InstanceId, change: Partial<MemberLevel> = {}): FrontendMessage {
  const address = ADDRESSES[member] ?? '';
  const base = { member, group: GROUP, address, phase: 'in', dead: false, lastMayGo: false };
  return { type: 'member.level', level: { ...base, ...change } as MemberLevel };
}

/** VPP as reported: `{ '10.0.0.11': 2 }`. */
function report(servers: Readonly<Record<string, number>>, change: Partial<VipReport> = {}) {
  const found = Object.entries(servers).map(([address, weight]) => ({
    address,
    weight,
    buckets: 1,
  }));
  const conf = { encap: 'gre4', tableLength: 1024 };
  const base = { frontend: WEB, synced: true, exists: true, servers: found, conf };
  return { type: 'vip.applied', report: { ...base, ...change } } as FrontendMessage;
}

function fresh(): Frontend {
  const input = { address: addressOf('frontend', WEB) };
  return drive<FrontendMemory>(frontendMachine, input).send({ type: 'activated' });
}

/** The store has committed what was decided last. */
function committed(frontend: Frontend): Frontend {
  return frontend.send({ type: 'frontend.decided', revision: frontend.context.revision } as never);
}

const created = (change: Partial<FrontendSpec> = {}): Frontend =>
  committed(fresh().send(desired(change)));

function after(frontend: Frontend, ...messages: readonly FrontendMessage[]): Frontend {
  return messages.reduce((next, message) => next.send(message), frontend);
}

const allUp = (): Frontend =>
  after(created(), verdict('b1', 'up'), verdict('b2', 'up'), verdict('b3', 'up'));

/** `.11=2 .12=1!`: weights by the last byte, `!` with a flush. */
function said(vip: DesiredVip | null | undefined): string {
  return (vip?.servers ?? [])
    .map(({ address, weight, flushEpisode }) => {
      const last = address.slice(address.lastIndexOf('.'));
      return `${last}=${weight}${flushEpisode === undefined ? '' : '!'}`;
    })
    .join(' ');
}

const sent = (frontend: Frontend) => said(frontend.context.sent);
const sends = (frontend: Frontend) => frontend.said<DesiredVip>('sendDesired');
const records = (frontend: Frontend) =>
  frontend.said<RecordParams>('record').map(({ event }) => event);
const acks = (frontend: Frontend) =>
  frontend
    .said<readonly AckParams[]>('acknowledge')
    .flat()
    .map(({ to, ack }) => `${to.slice(-1)} ${ack.phase} ${ack.weight}`);
const inState = (frontend: Frontend) =>
  typeof frontend.value === 'string' ? frontend.value : Object.keys(frontend.value as object)[0];

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
  });
});

test('[FE-9] [FE-11] frontend: members enter at their first up, scaled, in ascending order', () => {
  const first = after(created(), verdict('b2', 'up'));
  assert.equal(sent(first), '.12=1');
  assert.equal(sent(allUp()), '.11=2 .12=1 .21=0');
  assert.deepEqual(records(first), ['frontend.state_changed']);
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

// --- members of groups ------------------------------------------------------------------------

const grouped = (): Frontend =>
  after(created(GROUPED), level(I1), verdict(I1, 'up'), report({ '10.1.0.1': 1 }));

test('[FE-13] frontend: a member is acknowledged when VPP reports it, and not before', () => {
  const up = after(created(GROUPED), level(I1), verdict(I1, 'up'));
  assert.equal(sent(up), '.1=1');
  assert.deepEqual(acks(up), []);
  assert.deepEqual(acks(up.send(report({}))), []);
  const applied = up.send(report({ '10.1.0.1': 1 }));
  assert.deepEqual(acks(applied), ['1 in 1']);
  assert.deepEqual(acks(applied.send(report({ '10.1.0.1': 1 }))), []);
  assert.deepEqual(acks(applied.send(level(I1))), ['1 in 1'], 'who asks again is told again');
});

test('[FE-4] [FE-13] frontend: drain, weight 0, out, gone: each step acknowledged', () => {
  const both = after(
    grouped(),
    level(I2),
    verdict(I2, 'up'),
    report({ '10.1.0.1': 1, '10.1.0.2': 1 }),
  );
  const draining = both.send(level(I1, { phase: 'drain' }));
  assert.equal(sent(draining), '.1=0 .2=1');
  assert.deepEqual(records(draining), ['frontend.member_changed']);
  const drained = draining.send(report({ '10.1.0.1': 0, '10.1.0.2': 1 }));
  assert.deepEqual(acks(drained), ['1 drain 0']);
  const out = drained.send(level(I1, { phase: 'out' }));
  assert.equal(sent(out), '.2=1');
  assert.deepEqual(acks(out), ['1 drain 0']);
  const gone = out.send(report({ '10.1.0.2': 1 }));
  assert.deepEqual(acks(gone), ['1 out 0']);
  assert.deepEqual(Object.keys(gone.context.members), [I2]);
});

test('[FE-4] frontend: the last member waits with its drain until another serves', () => {
  const held = grouped().send(level(I1, { phase: 'drain' }));
  assert.equal(sent(held), '.1=1');
  assert.deepEqual(acks(held), ['1 in 1']);
  const relieved = after(held, level(I2), verdict(I2, 'up'));
  assert.equal(sent(relieved), '.1=0 .2=1');
  const forced = grouped().send(level(I1, { phase: 'drain', lastMayGo: true }));
  assert.equal(sent(forced), '.1=0');
});

test('[FE-13] frontend: a drain is not acknowledged while a raise may be on its way', () => {
  const raised = after(created(GROUPED), level(I1), verdict(I1, 'up'), report({ '10.1.0.1': 0 }));
  assert.deepEqual(acks(raised), ['1 drain 0'], 'in VPP, not yet in service');
  const held = raised.send(level(I1, { phase: 'drain' }));
  assert.deepEqual(acks(held), []);
});

test('[FE-13] frontend: a standby member at 0 is in service', () => {
  const pools = [
    { name: 'primary', members: [backend('b1', B1)] },
    { name: 'fallback', members: [group] },
  ];
  const standby = after(
    created({ pools }),
    verdict('b1', 'up'),
    level(I1),
    verdict(I1, 'up'),
    report({ [B1]: 1, '10.1.0.1': 0 }),
  );
  assert.deepEqual(acks(standby), ['1 in 0']);
});

test('[FE-13] frontend: an address handed on to a new member frees the old one', () => {
  const address = '10.1.0.1';
  const handedOn = after(
    grouped(),
    level(I1, { phase: 'out', dead: true }),
    level(I2, { address }),
  );
  assert.deepEqual(acks(handedOn), ['1 out 0']);
});

test('[FE-15] frontend: nobody wants it, so a leaving member is let go at once', () => {
  const ack = fresh().send(level(I1, { phase: 'drain' }));
  assert.deepEqual(acks(ack), ['1 out 0']);
  assert.deepEqual(acks(fresh().send(level(I1))), []);
});

test('[FE-12] frontend: a new member is asked for the verdict it may have had before', () => {
  const joined = created(GROUPED).send(level(I1));
  const [question] = joined.said<AskParams>('ask');
  assert.deepEqual(question?.to, [addressOf('backend', I1)]);
});

// --- restart ----------------------------------------------------------------------------------

/** The same memory on a new activation, as from the store. */
const restarted = (frontend: Frontend): Frontend => frontend.send({ type: 'activated' });

test('[FE-12] frontend: a restart asks, waits for all verdicts, and sends the same VIP', () => {
  const warming = restarted(allUp());
  assert.equal(inState(warming), 'warming');
  assert.deepEqual(warming.said('awaitVip'), [{ frontend: WEB }]);
  const asked = warming.said<AskParams>('ask')[0]?.to;
  assert.deepEqual(
    asked,
    ['b1', 'b2', 'b3'].map((name) => addressOf('backend', name)),
  );
  const almost = after(
    warming,
    report({ [B1]: 2, [B2]: 1, [B3]: 0 }),
    verdict('b1', 'up'),
    verdict('b3', 'down'),
  );
  assert.deepEqual(sends(almost), []);
  const known = almost.send(verdict('b2', 'up'));
  assert.equal(said(sends(known)[0]), '.11=2 .12=1 .21=0!');
  assert.deepEqual(records(known), [], 'nothing turned');
});

test('[FE-12] [FE-1] frontend: the longest wait over, the unknown keep what VPP has', () => {
  const warming = after(
    restarted(allUp()),
    report({ [B1]: 2, [B2]: 0, [B3]: 0 }),
    verdict('b2', 'up'),
  );
  const late = warming.fire('startupMaxDelay');
  assert.equal(said(sends(late)[0]), '.11=2 .12=1 .21=0');
});

test('[FE-1] frontend: after a restart in failover the standby keeps carrying', () => {
  const over = after(allUp(), verdict('b1', 'down'), verdict('b2', 'down'));
  const warming = after(restarted(over), report({ [B1]: 0, [B2]: 0, [B3]: 2 }));
  const late = warming.fire('startupMaxDelay');
  assert.equal(said(sends(late)[0]), '.11=0 .12=0 .21=2');
  const down = after(warming, verdict('b1', 'down'), verdict('b2', 'down'), verdict('b3', 'down'));
  assert.equal(said(sends(down)[0]), '.11=0! .12=0! .21=2');
});

test('[FE-12] frontend: a VIP that VPP lost teaches nothing', () => {
  const lost = after(restarted(allUp()), report({}, { exists: false })).fire('startupMaxDelay');
  assert.equal(said(sends(lost)[0]), '.11=2 .12=1 .21=0');
});

test('[FE-12] frontend: what is owed is said again after a while', () => {
  const again = allUp().fire('resyncDue');
  assert.equal(sends(again).length, 1);
  assert.equal(again.said<StatusParams>('tellStatus').length, 1);
});

// --- addresses and removal --------------------------------------------------------------------

const allocated = (address: string): FrontendMessage => ({
  type: 'pool.allocated',
  pool: 'public',
  address,
});

const exhausted: FrontendMessage = { type: 'pool.exhausted', pool: 'public', message: 'full' };
const released: FrontendMessage = { type: 'pool.released', pool: 'public' };
const pooled = (): Frontend =>
  committed(fresh().send({ type: 'frontend.desired', spec: POOLED, owner: OWNER } as never));

test('[FE-20] frontend: asks its pool, and serves when the address is on disk', () => {
  const asking = pooled();
  assert.deepEqual(asking.said<PoolCall>('allocate'), [{ pool: 'public', frontend: WEB }]);
  assert.equal(asking.fire('retryDue').said('allocate').length, 1);
  const full = asking.send(exhausted);
  assert.equal(full.said<StatusParams>('tellStatus')[0]?.status.problem, 'full');
  const given = full.send(allocated('198.51.100.1'));
  assert.deepEqual(sends(given), []);
  assert.deepEqual(records(given), ['frontend.desired_changed']);
  const serving = committed(given);
  assert.equal(sends(serving)[0]?.vip.address, '198.51.100.1');
  const moved = committed(serving.send(desired()));
  assert.deepEqual(moved.said('release'), [{ pool: 'public', frontend: WEB }]);
  assert.equal(sends(moved)[0]?.vip.address, '192.0.2.1');
});

test('[FE-14] frontend: removed lets go of VPP, then of its address, then forgets itself', () => {
  const serving = committed(pooled().send(allocated('198.51.100.1')));
  const leaving = serving.send({ type: 'frontend.removed' });
  assert.deepEqual(records(leaving), ['frontend.removed']);
  assert.equal(leaving.said('withdraw').length, 1);
  assert.equal(leaving.fire('retryDue').said('withdrawAgain').length, 1);
  assert.deepEqual(sends(leaving.send(verdict('b1', 'up'))), []);
  const gone = leaving.send({ type: 'vip.gone' });
  assert.equal(gone.said('release').length, 1);
  const over = gone.send(released);
  const [told] = over.said<StatusParams>('tellStatus');
  assert.ok(told?.to === OWNER && told.status.removed);
  assert.equal(over.said('forget').length, 1);
});

test('[FE-14] frontend: removed without ever being wanted is answered as removed', () => {
  const over = fresh().send({ type: 'frontend.removed' }, { from: OWNER });
  assert.equal(over.said<StatusParams>('tellStatus')[0]?.to, OWNER);
  assert.equal(over.said('forget').length, 1);
});

test('[FE-14] frontend: wanted again while it leaves, it comes back', () => {
  const back = committed(
    allUp()
      .send({ type: 'frontend.removed' })
      .send(desired({ port: 80 })),
  );
  assert.equal(inState(back), 'serving');
  assert.equal(sends(back)[0]?.vip.port, 80);
  const restored = restarted(allUp().send({ type: 'frontend.removed' }));
  assert.equal(restored.said('withdrawAgain').length, 1);
});

test('[FE-13] frontend: shows members with what they are meant to have and what VPP has', () => {
  const shape = shapeOf(allUp().send(report({ [B1]: 2, [B2]: 1, [B3]: 0 })).context);
  assert.equal(shape['state'], 'up');
  assert.equal(shape['synced'], true);
  assert.deepEqual(shape['vip'], {
    encap: 'gre4',
    tableLength: 1024,
    scale: 50,
    stickyBySource: false,
  });
  const pools = shape['pools'] as readonly { members: readonly object[] }[];
  assert.deepEqual(pools[0]?.members[0], {
    name: 'b1',
    address: B1,
    state: 'up',
    phase: 'in',
    reason: 'up',
    weight: 100,
    effectiveWeight: 100,
    sentWeight: 2,
    buckets: 1,
  });
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
