/** One frame of each kind, and generators for arbitrary ones. */
import fc from 'fast-check';
import { type Address, addressOf } from '../../machines/model/ids.js';
import type { Envelope } from '../../src/wire/envelope.js';
import type { LinkFrame } from '../../src/wire/link-frame.js';

const GROUP = addressOf('group', 'acme/web');
const BACKEND = addressOf('backend', 'cache-1');

const VERDICT = {
  type: 'backend.verdict',
  verdict: {
    backend: 'cache-1',
    address: '10.0.0.21',
    state: 'down',
    positive: true,
    episode: 'e-1',
    sinceMs: 1_795_262_400_000,
    code: 'L4CON',
  },
};

export function letterOf(body: { readonly type: string }, replyTo?: string): Envelope {
  const letter = { to: GROUP, from: BACKEND, cause: '0190-ünï', body };
  return replyTo === undefined ? letter : { ...letter, replyTo };
}

export const SAMPLE_FRAMES: readonly LinkFrame[] = [
  { type: 'envelopes', received: 70_000, items: [letterOf(VERDICT), letterOf(VERDICT, 'main:7')] },
  { type: 'credit', received: 5 },
  { type: 'reply', to: 'main:7', body: { ok: true, list: [1, -1, 1.5, null, 'x'.repeat(300)] } },
  { type: 'query', id: 1, name: 'instances', args: { limit: 10 } },
  { type: 'answer', id: 1, body: [] },
  { type: 'store.request', id: 9, method: 'journal', args: [0, 100] },
  { type: 'store.answer', id: 9, result: { ok: true, value: [{ seq: 1 }] }, more: true },
];

const arbName = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const arbAddress: fc.Arbitrary<Address> = fc
  .tuple(fc.constantFrom('group' as const, 'instance' as const, 'tenancy' as const), arbName)
  .map(([kind, key]) => addressOf(kind, key));

/** msgpack has one zero and renames the one dangerous key; both are no data of ours. */
const arbPlain = fc
  .jsonValue({ maxDepth: 4 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'proto')));

const arbBody: fc.Arbitrary<Envelope['body']> = fc.oneof(
  fc.record({ type: arbName, data: arbPlain }, { noNullPrototype: true }),
  // Of few types and with few fields, so that shapes come again, and come otherwise.
  fc
    .tuple(
      fc.constantFrom('a', 'b'),
      fc.dictionary(fc.constantFrom('x', 'y', 'z', 'not-a-word', 'constructor'), arbPlain, {
        noNullPrototype: true,
      }),
      fc.boolean(),
    )
    .map(([type, fields, last]) => (last ? { ...fields, type } : { type, ...fields })),
);

export const arbEnvelope: fc.Arbitrary<Envelope> = fc.record(
  { to: arbAddress, from: arbAddress, cause: arbName, body: arbBody, replyTo: arbName },
  { requiredKeys: ['to', 'from', 'cause', 'body'], noNullPrototype: true },
);

/** Without fast-check's objects that have no prototype: no message of ours is one. */
function bare<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

export const arbFrame: fc.Arbitrary<LinkFrame> = fc.oneof(
  bare({
    type: fc.constant('envelopes' as const),
    received: fc.maxSafeNat(),
    items: fc.array(arbEnvelope, { maxLength: 20 }),
  }),
  bare({ type: fc.constant('reply' as const), to: arbName, body: arbPlain }),
  bare({
    type: fc.constant('query' as const),
    id: fc.nat(),
    name: arbName,
    args: arbPlain,
  }),
  bare({
    type: fc.constant('store.answer' as const),
    id: fc.nat(),
    result: arbPlain,
    more: fc.boolean(),
  }),
);
