/** The backend machine and its book of overrides: verbs are orders, written down before they act. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backendMachine, type ReplyParams } from '../../machines/backend.js';
import type { BackendMemory } from '../../machines/backend-memory.js';
import { addressOf } from '../../machines/model/ids.js';
import type { Terms } from '../../machines/model/overrides.js';
import type { OrderParams } from '../../machines/overriding.js';
import {
  DISABLE,
  desired,
  ENABLE,
  fresh,
  PAUSE,
  probed,
  RESUME,
  started,
  stateOf,
  told,
  verdicts,
} from '../support/backend-lab.js';
import { obeyed } from '../support/book.js';
import { drive } from '../support/drive.js';

test('[OV-1] backend: an order is written down before anything follows from it', () => {
  const asked = probed(started(), 'P').send(PAUSE, { replyTo: 'ask-1' });
  assert.equal(stateOf(asked), 'up');
  const { type: _verb, ...terms } = PAUSE as typeof PAUSE & Terms;
  assert.deepEqual(asked.said<OrderParams>('orderOverride'), [
    {
      to: 'override/backend/b1',
      message: {
        type: 'override.order',
        order: { kind: 'pause', value: true, configured: false, ...terms },
        replyTo: 'ask-1',
      },
    },
  ]);
  assert.deepEqual(verdicts(asked), []);
  const resumed = probed(started(), 'P').send(RESUME, { replyTo: 'ask-2' });
  assert.deepEqual(resumed.said<ReplyParams>('reply')[0]?.body, { ok: true, state: 'up' });
});

test('[OV-2] backend: it starts with the overrides that stand', () => {
  const rows: readonly (readonly [kind: string, value: boolean, state: string])[] = [
    ['pause', true, 'paused'],
    ['enabled', false, 'disabled'],
  ];
  for (const [kind, value, state] of rows) {
    const configured = kind === 'enabled';
    const entry = { kind, value, configured, owner: 'ops', reason: '', sinceMs: 0, untilMs: null };
    const context = { object: 'backend/b1', book: { [kind]: entry } };
    const children = [{ address: 'override/backend/b1', value: 'holding', context }];
    const input = { address: addressOf('backend', 'b1') };
    const idle = drive<BackendMemory>(backendMachine, input);
    const born = idle.send({ type: 'activated', children } as never).send(desired());
    assert.equal(stateOf(born), state);
    assert.deepEqual(born.timers, {});
  }
});

test('[OV-3] backend: an order yields when the configured value itself changes, and not before', () => {
  const enabled = told(fresh().send(desired({ enabled: false })), ENABLE);
  assert.equal(stateOf(enabled), 'unknown');
  const moved = obeyed(enabled.send(desired({ enabled: false, address: '10.0.0.99' })));
  assert.equal(stateOf(moved), 'unknown');
  const yielded = moved.send(desired());
  const [order] = yielded.said<OrderParams>('orderOverride');
  assert.ok(order?.message.type === 'override.clear' && order.message.by === 'configuration');
  assert.deepEqual(obeyed(yielded).context.overrides, {});
  assert.equal(stateOf(obeyed(yielded).send(desired({ enabled: false }))), 'disabled');
});

test('[HE-16] backend: what restores the configured state ends an override, else one is ordered', () => {
  const up = probed(started(), 'P');
  const off = told(up, DISABLE);
  assert.deepEqual(Object.keys(off.context.overrides), ['enabled']);
  assert.deepEqual(told(off, ENABLE).context.overrides, {});
  assert.deepEqual(told(told(off, ENABLE), PAUSE).context.overrides['pause']?.reason, 'look');
  const pausedToo = obeyed(told(told(up, PAUSE), DISABLE));
  assert.equal(stateOf(pausedToo), 'disabled');
  assert.equal(stateOf(told(pausedToo, ENABLE)), 'paused');
});
