/** Messages to walk the outbox's machine with; see machine-samples.ts. */
import type { Meta } from '../../machines/model/effects.js';
import type { OutboxEvent } from '../../machines/outbox.js';

/** Without what the runtime adds. */
type Bare<E> = E extends { readonly meta: Meta } ? Omit<E, 'meta'> : never;

export const outboxSamples: readonly Bare<OutboxEvent>[] = [
  { type: 'activated', children: [] },
  { type: 'outbox.appended', seq: 1 },
  {
    type: 'outbox.settings',
    settings: {
      ...{ batchSize: 64, pollIntervalMs: 1_000, maxAttempts: 8, retentionMs: 60_000 },
      coalesceWindowMs: 1_000,
    },
  },
  ...(
    [
      { verb: 'republish', sinceMs: 1 },
      { verb: 'requeue', row: '1' },
    ] as const
  ).flatMap((amendment) => [
    { type: 'outbox.amend' as const, amendment },
    ...[0, 1].map((rows) => ({ type: 'rows.amended' as const, amendment, rows })),
  ]),
  { type: 'pass.finished', report: { published: 2, lastSeq: 2, buried: [], more: true } },
  {
    type: 'pass.finished',
    report: { published: 0, lastSeq: 0, buried: [], more: false, waitMs: 700, refusal: 'bad' },
  },
  ...(['sink', 'store'] as const).map((by) => ({
    type: 'pass.finished' as const,
    report: {
      published: 0,
      lastSeq: 0,
      buried: [{ seq: 1, eventId: 'e', type: 't', orderingKey: 'k', attempts: 8, error: 'bad' }],
      lost: { head: 1, expected: 2 },
      more: false,
      stopped: { by, message: 'away' },
    },
  })),
];
