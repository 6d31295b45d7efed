/**
 * Watches over three threads that are slow, lose each other and come back: whoever watches hears of the
 * end once, whatever is under way, and never of what it does not watch.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Address, addressOf } from '../../machines/model/ids.js';
import { WATCHES_MAX } from '../../src/runtime/limits.js';
import {
  createWatches,
  type Down,
  type Watches,
  type WatchFrame,
} from '../../src/runtime/watches.js';
import { seedOfRun } from '../support/seed.js';

const THREADS = ['a', 'b', 'c'] as const;
type Thread = (typeof THREADS)[number];
const ACTORS = THREADS.flatMap((thread) => [1, 2].map((n) => addressOf('group', `${thread}/${n}`)));
const threadOf = (address: Address): Thread => address.charAt('group/'.length) as Thread;

interface World {
  watch(watcher: Address, target: Address): void;
  unwatch(watcher: Address, target: Address): void;
  begin(actor: Address): void;
  end(actor: Address): void;
  /** Its actors and all frames from and to it are gone. */
  die(thread: Thread): void;
  comeBack(thread: Thread): void;
  /** The next frame of one way of one pair arrives. */
  arrive(lane: number): void;
  drain(): void;
  readonly open: ReadonlySet<string>;
  isThere(actor: Address): boolean;
}

function world(): World {
  const there = new Set<Address>(ACTORS);
  const alive = new Map<Thread, { readonly watches: Watches; readonly incarnation: number }>();
  /** By sender, receiver and way: ends overtake what is said on the other. */
  const lanes = new Map<string, WatchFrame[]>();
  /** Watches that were asked for and neither answered nor taken back. */
  const open = new Set<string>();
  let lives = 0;

  const hear = ({ watcher, target, reason }: Down): void => {
    assert.ok(
      open.delete(`${watcher} ${target}`),
      `one end for each watch, and none unasked: ${reason}`,
    );
  };
  const live = (thread: Thread): void => {
    const incarnation = ++lives;
    const watches = createWatches({
      thread,
      incarnation,
      threadOf,
      absent: (target) => (there.has(target) ? undefined : 'no-actor'),
      post: (peer, frame) => {
        if (!alive.has(peer as Thread)) return false;
        const lane = `${thread} ${peer} ${frame.type === 'down' ? 'urgent' : 'bulk'}`;
        lanes.set(lane, [...(lanes.get(lane) ?? []), frame]);
        return true;
      },
      deliver: hear,
    });
    alive.set(thread, { watches, incarnation });
    watches.started();
  };
  const of = (address: Address): Watches | undefined => alive.get(threadOf(address))?.watches;
  const deliver = (lane: string): void => {
    const [from = '', to] = lane.split(' ');
    const frame = lanes.get(lane)?.shift();
    if (frame !== undefined) alive.get(to as Thread)?.watches.take(from, frame);
  };
  for (const thread of THREADS) live(thread);
  return {
    open,
    isThere: (actor) => there.has(actor),
    watch: (watcher, target) => {
      if (of(watcher) === undefined || !there.has(watcher)) return;
      open.add(`${watcher} ${target}`);
      of(watcher)?.watch(watcher, target);
    },
    unwatch: (watcher, target) => {
      if (of(watcher) === undefined) return;
      open.delete(`${watcher} ${target}`);
      of(watcher)?.unwatch(watcher, target);
    },
    begin: (actor) => {
      if (of(actor) !== undefined) there.add(actor);
    },
    end: (actor) => {
      if (!there.delete(actor)) return;
      of(actor)?.ended(actor, 'forgotten');
      for (const key of open) if (key.startsWith(`${actor} `)) open.delete(key);
      of(actor)?.leave(actor);
    },
    die: (thread) => {
      const { incarnation } = alive.get(thread) ?? {};
      if (incarnation === undefined) return;
      alive.delete(thread);
      for (const actor of [...there]) if (threadOf(actor) === thread) there.delete(actor);
      for (const key of open) if (threadOf(key as Address) === thread) open.delete(key);
      for (const lane of [...lanes.keys()]) {
        if (lane.split(' ').slice(0, 2).includes(thread)) lanes.delete(lane);
      }
      for (const { watches } of alive.values()) watches.lost(thread, incarnation);
    },
    comeBack: (thread) => {
      if (!alive.has(thread)) live(thread);
    },
    arrive: (lane) => deliver([...lanes.keys()][lane % Math.max(1, lanes.size)] ?? ''),
    drain: () => {
      while ([...lanes.values()].some((frames) => frames.length > 0)) {
        for (const lane of [...lanes.keys()]) deliver(lane);
      }
    },
  };
}

test('[SU-10] watches: one end for each watch in every history, and none unasked', () => {
  const step = fc.record({
    does: fc.constantFrom(
      'watch',
      'watch',
      'unwatch',
      'begin',
      'end',
      'die',
      'comeBack',
      'arrive',
      'arrive',
    ),
    one: fc.constantFrom(...ACTORS),
    other: fc.constantFrom(...ACTORS),
    lane: fc.nat(30),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const w = world();
      for (const { does, one, other, lane } of steps) {
        if (does === 'watch' || does === 'unwatch') w[does](one, other);
        else if (does === 'begin' || does === 'end') w[does](one);
        else if (does === 'arrive') w.arrive(lane);
        else w[does](threadOf(one));
      }
      w.drain();
      for (const pair of w.open) {
        const [, target] = pair.split(' ') as [Address, Address];
        assert.ok(w.isThere(target), 'whoever still waits waits for somebody');
      }
      for (const actor of ACTORS) w.end(actor);
      w.drain();
      assert.deepEqual([...w.open], [], 'and hears of it in the end');
    }),
    { seed: seedOfRun(), numRuns: 3_000 },
  );
});

/** One thread, `a`, that sees nobody else. */
function alone() {
  const downs: Down[] = [];
  const posted: WatchFrame[] = [];
  const watches = createWatches({
    thread: 'a',
    incarnation: 5,
    threadOf,
    absent: (target) => (target === THERE ? undefined : 'no-actor'),
    post: (peer, frame) => peer === 'b' && posted.push(frame) > 0,
    deliver: (down) => void downs.push(down),
  });
  return { watches, downs, posted };
}
const THERE = addressOf('group', 'a/1');
const WATCHER = addressOf('group', 'a/2');
const ABROAD = addressOf('group', 'b/1');

test('[SU-10] watches: what is watched before the actors are loaded is looked up when they are', () => {
  const { watches, downs } = alone();
  const nobody = addressOf('group', 'a/3');
  for (const target of [THERE, nobody]) watches.watch(WATCHER, target);
  assert.deepEqual(downs, []);
  watches.started();
  assert.deepEqual(downs, [
    { target: nobody, watcher: WATCHER, incarnation: 5, reason: 'no-actor' },
  ]);
  watches.stop();
  assert.deepEqual(
    downs.map(({ target, reason }) => [target, reason]),
    [
      [nobody, 'no-actor'],
      [THERE, 'stopping'],
    ],
  );
});

test('[SU-10] watches: nobody speaks for the actors of another thread', () => {
  const { watches, downs } = alone();
  watches.started();
  watches.watch(WATCHER, ABROAD);
  const down = {
    type: 'down',
    target: ABROAD,
    watcher: WATCHER,
    incarnation: 1,
    reason: 'forgotten',
  } as const;
  watches.take('c', down);
  watches.take('c', { type: 'watch', target: THERE, watcher: ABROAD });
  assert.deepEqual([downs, watches.size], [[], 1]);
  watches.take('b', down);
  watches.take('b', down);
  assert.equal(downs.length, 1);
});

test('[SU-10] watches: bounded, and whoever is refused is told', () => {
  const { watches, downs } = alone();
  watches.started();
  for (let n = 0; n < WATCHES_MAX; n += 1) watches.watch(addressOf('group', `a/w${n}`), THERE);
  watches.watch(WATCHER, THERE);
  watches.watch(WATCHER, ABROAD);
  assert.deepEqual(
    downs.map(({ target, reason }) => [target, reason]),
    [
      [THERE, 'refused'],
      [ABROAD, 'refused'],
    ],
  );
  assert.equal(watches.size, WATCHES_MAX);
});
