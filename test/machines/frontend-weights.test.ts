/** The frontend machine and ordered weights. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnswerParams } from '../../machines/frontend-orders.js';
import type { FrontendMessage } from '../../machines/model/messages.js';
import type { OrderParams } from '../../machines/overriding.js';
import { obeyed, TERMS } from '../support/book.js';
import {
  after,
  allUp,
  B1,
  B2,
  backend,
  committed,
  desired,
  type Frontend,
  sent,
  verdict,
} from '../support/frontend-lab.js';

interface Ordered {
  readonly pool?: string;
  readonly member?: string;
  readonly weight?: number;
  readonly flush?: boolean;
}

function weight({ pool = 'primary', member = 'b2', weight = 0, flush = false }: Ordered) {
  const order = { type: 'operator.weight', pool, member, weight, flush, ...TERMS };
  return order as FrontendMessage;
}

const told = (frontend: Frontend, order: Ordered): Frontend =>
  obeyed(frontend.send(weight(order), { replyTo: 'ask' }));
const ordered = (frontend: Frontend) => frontend.said<OrderParams>('orderOverride')[0]?.message;

test('[FE-34] frontend: an ordered weight counts instead of the configured one, once it is on disk', () => {
  const asked = allUp().send(weight({ weight: 100 }));
  assert.equal(sent(asked), '.11=2 .12=1 .21=0');
  assert.equal(sent(obeyed(asked)), '.11=2 .12=2 .21=0');
  assert.equal(sent(told(allUp(), { weight: 0 })), '.11=2 .12=0 .21=0');
});

test('[FE-36] frontend: what the scale cannot express is rounded, and said so', () => {
  const asked = allUp().send(weight({ weight: 30 }));
  const message = ordered(asked);
  assert.ok(message?.type === 'override.order');
  assert.match(message.order.note ?? '', /multiples of 50: it counts as 50$/);
  const exact = ordered(allUp().send(weight({ weight: 100 })));
  assert.ok(exact?.type === 'override.order' && exact.order.note === undefined);
});

test('[FE-5] frontend: ordered with a flush, the flows are evicted once, whatever the weight', () => {
  const flushed = told(allUp(), { weight: 100, flush: true });
  assert.equal(sent(flushed), '.11=2 .12=2! .21=0');
  const episode = flushed.context.members['b2']?.flushEpisode;
  const later = after(flushed, verdict('b1', 'down'), verdict('b1', 'up'));
  assert.equal(later.context.members['b2']?.flushEpisode, episode);
  const again = obeyed(later.send(weight({ flush: true })), 9);
  assert.notEqual(again.context.members['b2']?.flushEpisode, episode);
});

test('[FE-36] frontend: places it does not have and weights that are none are refused', () => {
  const rows: readonly (readonly [Ordered, string])[] = [
    [{ pool: 'nix' }, 'not-found'],
    [{ member: 'b3' }, 'not-found'],
    [{ weight: 101 }, 'refused'],
    [{ weight: 1.5 }, 'refused'],
    [{ weight: -1 }, 'refused'],
  ];
  for (const [order, code] of rows) {
    const refused = allUp().send(weight(order), { replyTo: 'ask' });
    const [answer] = refused.said<AnswerParams>('answer');
    assert.equal(answer?.body.refusal.code, code, JSON.stringify(order));
    assert.equal(ordered(refused), undefined);
  }
});

test('[OV-3] frontend: it yields when the configured weight itself changes, not when another does', () => {
  const heavy = told(allUp(), { weight: 100 });
  const pools = (b1: number, b2: number) => [
    { name: 'primary', members: [backend('b1', B1, b1), backend('b2', B2, b2)] },
  ];
  const other = committed(heavy.send(desired({ pools: pools(50, 50) })));
  assert.equal(sent(obeyed(other)), '.11=1 .12=2');
  const own = committed(heavy.send(desired({ pools: pools(100, 100) })));
  const message = ordered(own);
  assert.ok(message?.type === 'override.clear' && message.by === 'configuration');
  assert.equal(sent(obeyed(own)), '.11=1 .12=1');
  const gone = committed(heavy.send(desired({ pools: [pools(100, 50)[0] as never].slice(0, 1) })));
  assert.equal(ordered(gone), undefined, 'nothing changed for it');
});

test('[FE-34] frontend: the configured weight ordered again ends the override', () => {
  const heavy = told(allUp(), { weight: 100 });
  const message = ordered(heavy.send(weight({ weight: 50 })));
  assert.ok(message?.type === 'override.clear' && message.by === 'operator');
});

test('[FE-6] frontend: a pool whose members are all ordered to 0 is not the active one', () => {
  const none = told(told(allUp(), { member: 'b1', weight: 0 }), { member: 'b2', weight: 0 });
  assert.equal(sent(none), '.11=0 .12=0 .21=2');
});

test('[OV-2] frontend: it starts with the weights that stand', () => {
  const heavy = told(allUp(), { weight: 100 });
  const context = { object: 'frontend/web', book: heavy.context.overrides };
  const children = [{ address: 'override/frontend/web', value: 'holding', context }];
  const restarted = heavy.send({ type: 'activated', children } as never);
  const back = after(restarted, verdict('b1', 'up'), verdict('b2', 'up'), verdict('b3', 'up'));
  assert.equal(sent(back), '.11=2 .12=2 .21=0');
  const cleared = heavy.send({ type: 'activated', children: [] } as never);
  const plain = after(cleared, verdict('b1', 'up'), verdict('b2', 'up'), verdict('b3', 'up'));
  assert.equal(sent(plain), '.11=2 .12=1 .21=0');
});
