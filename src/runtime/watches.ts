/**
 * Who watches whom: `watch(address)` is answered by exactly one `down`, with the incarnation of the
 * thread the actor lived in and the reason, also when the actor is not there to begin with, and when
 * its thread is lost. A crash is no end: the actor comes back, and stays watched.
 *
 *   the watcher's side   what it watches on other threads, so that a lost thread can be told
 *   the actor's side     by whom it is watched, here and elsewhere
 *
 * Rules: [SU-10] one `down` for each watch, and none after `unwatch`; watching twice is
 * watching once; at the bound a watch is refused with a `down` that says so.
 */
import type { Address } from '../../machines/model/ids.js';
import { WATCHES_MAX } from './limits.js';
import type { ThreadName } from './placement.js';

export type DownReason =
  | 'forgotten'
  | 'quarantined'
  | 'no-actor'
  | 'off-duty'
  | 'thread-lost'
  | 'stopping'
  | 'refused';

export interface Down {
  readonly target: Address;
  readonly watcher: Address;
  readonly incarnation: number;
  readonly reason: DownReason;
}

export type WatchFrame =
  | { readonly type: 'watch'; readonly target: Address; readonly watcher: Address }
  | { readonly type: 'unwatch'; readonly target: Address; readonly watcher: Address }
  | ({ readonly type: 'down' } & Down);

export interface Watches {
  watch(watcher: Address, target: Address): void;
  unwatch(watcher: Address, target: Address): void;
  /** From another thread. */
  take(peer: ThreadName, frame: WatchFrame): void;
  /** An actor of this thread takes no more messages: whoever watches it is told. */
  ended(target: Address, reason: DownReason): void;
  /** An actor of this thread will not hear of anything any more. */
  leave(watcher: Address): void;
  /** That life of a thread is over. */
  lost(peer: ThreadName, incarnation: number): void;
  /** The actors of this thread are there: what was watched before that is looked up now. */
  started(): void;
  /** The thread ends. */
  stop(): void;
  /** Watches this thread keeps, on either side. */
  readonly size: number;
}

export interface WatchesOptions {
  readonly thread: ThreadName;
  readonly incarnation: number;
  threadOf(address: Address): ThreadName;
  /** Why an actor of this thread cannot be watched; undefined: it can. */
  absent(target: Address): DownReason | undefined;
  /** False: that thread is not there. */
  post(thread: ThreadName, frame: WatchFrame): boolean;
  /** To an actor of this thread. */
  deliver(down: Down): void;
}

/** Pairs of addresses, found from the first. */
interface Pairs {
  readonly size: number;
  has(key: Address, value: Address): boolean;
  add(key: Address, value: Address): void;
  delete(key: Address, value: Address): boolean;
  of(key: Address): readonly Address[];
  keys(): readonly Address[];
}

export function createWatches(options: WatchesOptions): Watches {
  const { thread, incarnation, threadOf } = options;
  /** By the watched actor of this thread. */
  const watchers = createPairs();
  /** By the watched actor of another thread. */
  const abroad = createPairs();
  /** By the watcher of this thread. */
  const watched = createPairs();
  /** Watched before the actors of this thread were there. */
  let early: Set<Address> | undefined = new Set();

  const size = (): number => watchers.size + abroad.size;

  const down = (target: Address, watcher: Address, reason: DownReason): void => {
    const told = { target, watcher, incarnation, reason };
    const home = threadOf(watcher);
    if (home === thread) options.deliver(told);
    else options.post(home, { type: 'down', ...told });
  };

  const add = (pairs: Pairs, watcher: Address, target: Address): void => {
    pairs.add(target, watcher);
    if (threadOf(watcher) === thread) watched.add(watcher, target);
  };

  /** False: it was not watched. */
  const remove = (pairs: Pairs, watcher: Address, target: Address): boolean => {
    watched.delete(watcher, target);
    return pairs.delete(target, watcher);
  };

  const watchHere = (watcher: Address, target: Address): void => {
    const reason = early === undefined ? options.absent(target) : undefined;
    if (reason !== undefined) return down(target, watcher, reason);
    if (watchers.has(target, watcher)) return;
    if (size() >= WATCHES_MAX) return down(target, watcher, 'refused');
    add(watchers, watcher, target);
    early?.add(target);
  };

  const watchAbroad = (watcher: Address, target: Address): void => {
    if (abroad.has(target, watcher)) return;
    const told = { target, watcher, incarnation: 0 };
    if (size() >= WATCHES_MAX) return options.deliver({ ...told, reason: 'refused' });
    add(abroad, watcher, target);
    if (options.post(threadOf(target), { type: 'watch', target, watcher })) return;
    remove(abroad, watcher, target);
    options.deliver({ ...told, reason: 'thread-lost' });
  };

  const unwatch = (watcher: Address, target: Address): void => {
    remove(watchers, watcher, target);
    if (remove(abroad, watcher, target)) {
      options.post(threadOf(target), { type: 'unwatch', target, watcher });
    }
  };

  const ended = (target: Address, reason: DownReason): void => {
    for (const watcher of watchers.of(target)) {
      remove(watchers, watcher, target);
      down(target, watcher, reason);
    }
  };

  return {
    watch: (watcher, target) =>
      threadOf(target) === thread ? watchHere(watcher, target) : watchAbroad(watcher, target),
    unwatch,
    take: (peer, frame) => {
      const { target, watcher } = frame;
      // Who speaks for actors that are not its own is not heard.
      const own = frame.type === 'down' ? target : watcher;
      if (threadOf(own) !== peer) return;
      if (frame.type === 'watch') return watchHere(watcher, target);
      if (frame.type === 'unwatch') return void remove(watchers, watcher, target);
      if (remove(abroad, watcher, target)) options.deliver(frame);
    },
    ended,
    leave: (watcher) => {
      for (const target of watched.of(watcher)) unwatch(watcher, target);
    },
    lost: (peer, lostIncarnation) => {
      for (const target of watchers.keys()) {
        for (const watcher of watchers.of(target)) {
          if (threadOf(watcher) === peer) remove(watchers, watcher, target);
        }
      }
      for (const target of abroad.keys()) {
        if (threadOf(target) !== peer) continue;
        for (const watcher of abroad.of(target)) {
          remove(abroad, watcher, target);
          options.deliver({ target, watcher, incarnation: lostIncarnation, reason: 'thread-lost' });
        }
      }
    },
    started: () => {
      const waited = early ?? [];
      early = undefined;
      for (const target of waited) {
        const reason = options.absent(target);
        if (reason !== undefined) ended(target, reason);
      }
    },
    stop: () => {
      for (const target of watchers.keys()) ended(target, 'stopping');
    },
    get size() {
      return size();
    },
  };
}

function createPairs(): Pairs {
  const byKey = new Map<Address, Set<Address>>();
  let size = 0;
  return {
    get size() {
      return size;
    },
    has: (key, value) => byKey.get(key)?.has(value) === true,
    add: (key, value) => {
      byKey.set(key, (byKey.get(key) ?? new Set()).add(value));
      size += 1;
    },
    delete: (key, value) => {
      const values = byKey.get(key);
      if (values?.delete(value) !== true) return false;
      if (values.size === 0) byKey.delete(key);
      size -= 1;
      return true;
    },
    of: (key) => [...(byKey.get(key) ?? [])],
    keys: () => [...byKey.keys()],
  };
}
