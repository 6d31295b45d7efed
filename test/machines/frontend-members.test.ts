/** The frontend machine and the members of groups: acknowledged step by step, held when they are the last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AskParams } from '../../machines/frontend-messages.js';
import { addressOf } from '../../machines/model/ids.js';
import {
  acks,
  after,
  B1,
  backend,
  created,
  type Frontend,
  fresh,
  GROUPED,
  group,
  I1,
  I2,
  level,
  records,
  report,
  sent,
  verdict,
} from '../support/frontend-lab.js';

// --- members of groups ------------------------------------------------------------------------

const grouped = (): Frontend =>
  after(created(GROUPED), level(I1), verdict(I1, 'up'), report({ '10.1.0.1': 1 }));

test('[FE-13] frontend: a member is acknowledged when VPP reports it, and not before', () => {
  const up = after(created(GROUPED), level(I1), verdict(I1, 'up'));
  assert.equal(sent(up), '.1=1');
  assert.deepEqual(acks(up), []);
  assert.deepEqual(acks(after(up, report({}))), []);
  const applied = after(up, report({ '10.1.0.1': 1 }));
  assert.deepEqual(acks(applied), ['1 in 1']);
  assert.deepEqual(acks(after(applied, report({ '10.1.0.1': 1 }))), []);
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
  const drained = after(draining, report({ '10.1.0.1': 0, '10.1.0.2': 1 }));
  assert.deepEqual(acks(drained), ['1 drain 0']);
  const out = drained.send(level(I1, { phase: 'out' }));
  assert.equal(sent(out), '.2=1');
  assert.deepEqual(acks(out), [], 'VPP has not been asked to remove it yet');
  const gone = after(out, report({ '10.1.0.2': 1 }));
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
