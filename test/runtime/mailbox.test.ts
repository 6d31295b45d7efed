/** Mailboxes against a dumb model, at their bounds, and one actor flooded beside another that is asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import type { Envelope } from '../../src/runtime/envelope.js';
import { type Letter, systemLetter, userLetter } from '../../src/runtime/letters.js';
import {
  DEAD_LETTERS_MAX,
  MAILBOX_MESSAGES_MAX,
  THREAD_MESSAGES_MAX,
  TURN_MESSAGES_MAX,
} from '../../src/runtime/limits.js';
import {
  createMailboxes,
  depthOf,
  type MailboxOwner,
  oldestAt,
} from '../../src/runtime/mailbox.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { seedOfRun } from '../support/seed.js';
import { toyWorld } from '../support/toy-node.js';

const envelope = (type: string): Envelope => ({
  to: addressOf('group', 't/g'),
  from: addressOf('tenant', 't'),
  cause: 'c',
  body: { type },
});
const owner = (): MailboxOwner => ({ mailbox: undefined });
const REFLEX = { type: 'reflex', by: 1 } as Message;
const typeOf = (letter: Letter | undefined) => letter?.envelope.body.type;

test('[RT-2] mailbox: bounded, in order, the system lane first', () => {
  const boxes = createMailboxes();
  const cat = owner();
  for (let n = 0; n < MAILBOX_MESSAGES_MAX; n += 1) {
    assert.ok(boxes.put(cat, userLetter(envelope(`m${n}`), 0)));
  }
  assert.equal(boxes.put(cat, userLetter(envelope('too many'), 0)), false);
  boxes.putSystem(cat, systemLetter(envelope('timer'), 0));
  assert.equal(typeOf(boxes.take(cat)), 'timer');
  assert.equal(typeOf(boxes.take(cat)), 'm0');
  assert.ok(boxes.put(cat, userLetter(envelope('now fits'), 0)));
});

test('[RT-60] mailboxes: all of a thread together are bounded, whoever has the mail', () => {
  const boxes = createMailboxes();
  const owners = Array.from({ length: THREAD_MESSAGES_MAX / 512 + 1 }, owner);
  let taken = 0;
  for (const each of owners) {
    for (let n = 0; n < 512; n += 1) {
      if (boxes.put(each, userLetter(envelope('m'), 0))) taken += 1;
    }
  }
  assert.equal(taken, THREAD_MESSAGES_MAX);
  assert.equal(boxes.waiting, THREAD_MESSAGES_MAX);
  const last = owners.at(-1) as MailboxOwner;
  assert.equal(last.mailbox, undefined, 'who got nothing has no box');
  boxes.clear(owners[0] as MailboxOwner);
  assert.ok(boxes.put(last, userLetter(envelope('m'), 0)), 'room that is free again is anybodys');
});

test('[RT-2] mailbox: the oldest sample makes room, a question never does', () => {
  const boxes = createMailboxes();
  const cat = owner();
  boxes.put(cat, userLetter({ ...envelope('sample'), replyTo: 'main:1:1' }, 0));
  boxes.put(cat, userLetter(envelope('other'), 1));
  boxes.put(cat, userLetter(envelope('sample'), 2, 'key'));
  boxes.put(cat, userLetter(envelope('sample'), 3));
  assert.equal(boxes.dropOldest(cat, 'sample')?.enqueuedAt, 2);
  assert.ok(boxes.put(cat, userLetter(envelope('sample'), 4, 'key')), 'its key went with it');
  assert.deepEqual([depthOf(cat), boxes.waiting], [4, 4]);
  assert.equal(boxes.dropOldest(cat, 'absent'), undefined);
});

interface Op {
  readonly op: 'put' | 'level' | 'system' | 'back' | 'take' | 'clearSystem' | 'clear';
  readonly n: number;
}

const arbOp: fc.Arbitrary<Op> = fc.record({
  op: fc.constantFrom(
    'put',
    'put',
    'level',
    'system',
    'back',
    'take',
    'take',
    'clearSystem',
    'clear',
  ),
  n: fc.nat(2),
});

/** The same with three plain arrays. */
class Model {
  system: string[] = [];
  again: string[] = [];
  user: { text: string; key?: string }[] = [];

  take(): string | undefined {
    return this.system.shift() ?? this.again.shift() ?? this.user.shift()?.text;
  }
}

test('[RT-2] mailbox: any history of puts, levels, tries and takes is that of three plain lists', () => {
  fc.assert(
    fc.property(fc.array(arbOp, { maxLength: 60 }), (ops) => {
      const boxes = createMailboxes();
      const cat = owner();
      const model = new Model();
      let inHand: Letter | undefined;
      for (const [at, { op, n }] of ops.entries()) {
        const text = `${op}${at}`;
        if (op === 'put') {
          boxes.put(cat, userLetter(envelope(text), at));
          model.user.push({ text });
        } else if (op === 'level') {
          const key = `k${n}`;
          boxes.put(cat, userLetter(envelope(text), at, key));
          const waiting = model.user.find((letter) => letter.key === key);
          if (waiting === undefined) model.user.push({ text, key });
          else waiting.text = text;
        } else if (op === 'system') {
          boxes.putSystem(cat, systemLetter(envelope(text), at));
          model.system.push(text);
        } else if (op === 'back' && inHand !== undefined) {
          boxes.putBack(cat, inHand);
          (inHand.system ? model.system : model.again).unshift(typeOf(inHand) as string);
          inHand = undefined;
        } else if (op === 'take') {
          inHand = boxes.take(cat);
          assert.equal(typeOf(inHand), model.take());
        } else if (op === 'clearSystem') {
          boxes.clearSystem(cat);
          model.system = [];
        } else if (op === 'clear') {
          const expected = [...model.again, ...model.user.map((letter) => letter.text)];
          assert.deepEqual(boxes.clear(cat).map(typeOf), expected);
          Object.assign(model, new Model());
        }
        assert.equal(boxes.waiting, model.user.length);
        assert.equal(depthOf(cat), model.system.length + model.again.length + model.user.length);
        assert.equal(cat.mailbox === undefined, depthOf(cat) === 0, 'no mail, no box');
        assert.equal(oldestAt(cat) === undefined, depthOf(cat) === 0);
      }
    }),
    { seed: seedOfRun(), numRuns: 2_000 },
  );
});

test('[RT-11] [RT-60] host: beside an actor flooded with 1,000,000 messages another is answered in a turn or two', async () => {
  const soon: (() => void)[] = [];
  const clock = { ...createVirtualClock(), soon: (run: () => void) => void soon.push(run) };
  const { host } = await toyWorld({ clock });
  const round = async (): Promise<void> => {
    for (const run of soon.splice(0)) run();
    for (let hop = 0; hop < 8; hop += 1) await Promise.resolve();
  };
  const flooded = addressOf('backend', 'flooded');
  const asked = addressOf('backend', 'asked');
  for (let chunk = 0; chunk < 100; chunk += 1) {
    for (let n = 0; n < 10_000; n += 1) host.tell(flooded, REFLEX, 'flood');
    let answered = false;
    const answer = host.ask(asked, { type: 'peek' }).then((outcome) => {
      answered = outcome.ok;
    });
    let rounds = 0;
    while (!answered && rounds < 10) {
      await round();
      rounds += 1;
    }
    await answer;
    assert.ok(rounds <= 2, `answered after ${rounds} turns`);
    const depths = host.actorViews().map((view) => Number(view['mailboxDepth']));
    assert.ok(Math.max(...depths) <= MAILBOX_MESSAGES_MAX);
    assert.ok(soon.length <= 2, 'turns are not heaped up');
  }
  const taken = TURN_MESSAGES_MAX * 100;
  const refused = host.deadLetters.counts()['mailbox-full'] ?? 0;
  assert.ok(
    refused >= 1_000_000 - MAILBOX_MESSAGES_MAX - 2 * taken,
    'what is not taken is counted',
  );
  assert.ok(host.deadLetters.list().length <= DEAD_LETTERS_MAX);
});

interface Said {
  readonly of: number;
  readonly at: number;
}
type Report = Message & { readonly said: readonly Said[] };

const JOINED_MAX = 4;
const joinSaid = (waiting: Message, next: Message): Message | undefined => {
  const said = [...(waiting as Report).said, ...(next as Report).said];
  return said.length > JOINED_MAX ? undefined : ({ type: 'report', said } as Message);
};

test('[RT-71] mailbox: of each subject the newest word comes last, however reports were put together', () => {
  const arbPut = fc.record({ of: fc.nat(2), joint: fc.boolean(), takes: fc.nat(1) });
  const history = fc.array(arbPut, { maxLength: 40 });
  const law = (puts: readonly { of: number; joint: boolean; takes: number }[]): void => {
    const boxes = createMailboxes();
    const group = owner();
    const heard: Said[] = [];
    const take = (): boolean => {
      const letter = boxes.take(group);
      if (letter !== undefined) heard.push(...(letter.envelope.body as Report).said);
      return letter !== undefined;
    };
    for (const [at, { of, joint, takes }] of puts.entries()) {
      const body = { type: 'report', said: [{ of, at }] } as Message;
      const letter = userLetter({ ...envelope('report'), body }, at, `report:${of}`, joint);
      assert.ok(boxes.put(group, letter, joinSaid));
      if (takes === 1) take();
    }
    while (take());
    assert.deepEqual([depthOf(group), boxes.waiting], [0, 0]);
    for (const subject of [0, 1, 2]) {
      const said = puts.flatMap(({ of }, at) => (of === subject ? [at] : []));
      const told = heard.flatMap(({ of, at }) => (of === subject ? [at] : []));
      assert.deepEqual(
        told,
        [...told].sort((a, b) => a - b),
      );
      assert.equal(told.at(-1), said.at(-1));
    }
  };
  fc.assert(fc.property(history, law), { seed: seedOfRun(), numRuns: 500 });
});

test('[RT-71] mailbox: reports wait as one message, up to as many as one takes in', () => {
  const boxes = createMailboxes();
  const group = owner();
  for (let of = 0; of < 2 * JOINED_MAX; of += 1) {
    const body = { type: 'report', said: [{ of, at: of }] } as Message;
    const letter = userLetter({ ...envelope('report'), body }, of, `report:${of}`, true);
    boxes.put(group, letter, joinSaid);
  }
  assert.deepEqual([depthOf(group), boxes.waiting], [2, 2]);
});
