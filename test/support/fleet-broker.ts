/**
 * A broker for a fleet in virtual time: one log that many append to as its real counterpart lets them (a
 * subject has one writer, an older epoch gets nothing in, an id has one number), read by any number of
 * sources; and the lease. Each node's link can be cut, the whole broker stopped, its end lost.
 */
import { fail, ok, type Result } from '../../machines/model/result.js';
import { isOfFleet } from '../../src/policy/duty.js';
import type { FeedSource } from '../../src/ports/feed-source.js';
import { wholeOf } from '../../src/ports/feed-text.js';
import type { Sink } from '../../src/ports/sink.js';
import type { FeedEvent } from '../../src/ports/store.js';
import { type CutLease, type LeaseServer, leaseServer } from './memory-lease.js';

export interface FleetBroker {
  readonly events: readonly FeedEvent[];
  readonly lease: LeaseServer;
  /** Nobody reaches it. */
  down: boolean;
  /** Forgets everything behind the first `kept` events. */
  lose(kept: number): void;
  connect(writer: string): FleetLink;
}

export interface FleetLink {
  readonly sink: Sink;
  readonly source: FeedSource;
  readonly lease: CutLease;
  /** This node does not reach it. */
  cut: boolean;
}

const AWAY = fail({ code: 'unavailable' as const, message: 'the broker is away' });

export function fleetBroker(ttlMs: number, now: () => number): FleetBroker {
  let events: FeedEvent[] = [];
  /** Of each event, by place. */
  let writers: string[] = [];
  const lease = leaseServer(ttlMs, now);
  const artifacts = new Map<string, Uint8Array>();
  const waiting = new Set<() => void>();
  const subjectOf = (event: FeedEvent): string => (isOfFleet(event) ? 'fleet' : event.node);

  const append = (
    event: FeedEvent,
    writer: string,
  ): Result<{ controlVersion: number }, never> | 'fenced' => {
    const last = events.findLastIndex((other) => subjectOf(other) === subjectOf(event));
    const foreign = last >= 0 && writers[last] !== writer;
    if (foreign && (events[last]?.epoch ?? 0) >= event.epoch) return 'fenced';
    const known = events.findIndex(({ eventId }) => eventId === event.eventId);
    if (known >= 0) return ok({ controlVersion: known + 1 });
    events.push({ ...event, controlVersion: events.length + 1 });
    writers.push(writer);
    for (const wake of waiting) wake();
    return ok({ controlVersion: events.length });
  };

  const broker: FleetBroker = {
    get events() {
      return events;
    },
    lease,
    down: false,
    lose: (kept) => {
      events = events.slice(0, kept);
      writers = writers.slice(0, kept);
      for (const wake of waiting) wake();
    },
    connect: (writer) => {
      const isAway = (): boolean => broker.down || link.cut;
      const client = lease.connect();
      const sink: Sink = {
        resume: async () => (isAway() ? AWAY : ok({ head: events.length })),
        append: async (some) => {
          let failure:
            | Result<never, { code: 'fenced' | 'unavailable'; message: string }>
            | undefined;
          return some.map((event) => {
            if (failure === undefined && isAway()) failure = AWAY;
            if (failure !== undefined) return failure;
            const appended = append(wholeOf(event), writer);
            if (appended !== 'fenced') return appended;
            failure = fail({ code: 'fenced', message: 'another writer owns it' });
            return failure;
          });
        },
        putArtifact: async (ref, bytes) => (isAway() ? AWAY : ok(void artifacts.set(ref, bytes))),
        close: async () => undefined,
      };
      const source: FeedSource = {
        read: async (after, max) => {
          if (isAway()) return AWAY;
          const some = events.slice(after, after + max);
          return ok(some.map((event, at) => ({ controlVersion: after + at + 1, event })));
        },
        at: async (controlVersion) => {
          const event = events[controlVersion - 1];
          if (isAway()) return AWAY;
          return ok(event === undefined ? undefined : { controlVersion, event });
        },
        wait: (after, signal) =>
          new Promise((resolve) => {
            const done = (): void => {
              waiting.delete(done);
              signal.removeEventListener('abort', done);
              resolve();
            };
            if (events.length !== after || signal.aborted) return resolve();
            waiting.add(done);
            signal.addEventListener('abort', done, { once: true });
          }),
        acknowledge: async () => ok(undefined),
        head: async () => (isAway() ? AWAY : ok(events.length)),
        artifact: async (ref) => {
          const bytes = isAway() ? undefined : artifacts.get(ref);
          return bytes === undefined ? AWAY : ok(bytes);
        },
        close: async () => undefined,
      };
      const cutLease: CutLease = {
        ttlMs,
        get cut() {
          return client.cut;
        },
        set cut(cut) {
          client.cut = cut;
        },
        acquire: async (claim) => (isAway() ? AWAY : client.acquire(claim)),
        renew: async (claim, grant) => (isAway() ? AWAY : client.renew(claim, grant)),
        release: async (grant) => (isAway() ? AWAY : client.release(grant)),
        close: client.close,
      };
      const link: FleetLink = { sink, source, lease: cutLease, cut: false };
      return link;
    },
  };
  return broker;
}
