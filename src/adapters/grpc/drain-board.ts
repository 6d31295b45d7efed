/**
 * The drains of the node, told to whoever carries them out: those that wait, then each as it begins and ends.
 *
 * Input:  instances as they show themselves; the journal says which of them to look at again. Output: drains,
 *         to each follower at its own speed: what changed meanwhile waits by name, never as a queue.
 *
 * A drain is what its instance remembers of it, so a follower that comes back, or a daemon that was restarted,
 * tells the same deadline and reason again. The journal is followed only while somebody follows the board.
 *
 * Rules: [ID-20] a follower is told every drain that waits and every end of one it was told of, whatever was
 * lost on the way; [ID-21] with the deadline and the reason it began with.
 */
import { addressOf, type InstanceId, parseInstanceId } from '../../../machines/model/ids.js';
import type { Json, JsonObject } from '../../../machines/model/json.js';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { NodeApi, WatchItem } from '../../ports/node-api.js';

export interface DrainNotice {
  readonly instance: string;
  readonly tenant: string;
  readonly group: string;
  readonly reason: string;
  readonly note: string;
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  readonly phase: 'PENDING' | 'ENDED';
  readonly endedBy: string;
}

export interface Follower {
  /** Absent: of every instance. */
  readonly instance?: InstanceId;
  readonly tenant?: string;
  /** False: told, but no more until `resume`. */
  tell(notice: DrainNotice): boolean;
}

export interface Following {
  resume(): void;
  stop(): void;
}

export interface DrainBoard {
  follow(follower: Follower): Following;
}

interface Seat {
  readonly follower: Follower;
  /** Instances it has to be told of. */
  readonly due: Set<string>;
  /** Told as pending, and not yet as ended. */
  readonly told: Set<string>;
  full: boolean;
}

/** Everything is looked at again this often, whatever the journal said. */
const RESYNC_MS = 30_000;

export function createDrainBoard(options: {
  readonly api: Pick<NodeApi, 'list' | 'view' | 'watch'>;
  readonly clock: Clock;
}): DrainBoard {
  const { api, clock } = options;
  /** Of all instances; and those of one, by its id. */
  const wide = new Set<Seat>();
  const narrow = new Map<string, Set<Seat>>();
  const drains = new Map<string, DrainNotice>();
  let opened: { stopWatch(): void; cancel: Cancel } | undefined;

  const flush = (seat: Seat): void => {
    for (const instance of seat.due) {
      if (seat.full) return;
      seat.due.delete(instance);
      const notice = drains.get(instance);
      if (notice === undefined || !isNews(seat, notice)) continue;
      seat.full = !seat.follower.tell(notice);
    }
  };

  const put = (notice: DrainNotice): void => {
    if (isSame(drains.get(notice.instance), notice)) return;
    drains.set(notice.instance, notice);
    const concerned = [...wide, ...(narrow.get(notice.instance) ?? [])];
    for (const seat of concerned) {
      if (!wants(seat.follower, notice)) continue;
      seat.due.add(notice.instance);
      flush(seat);
    }
    // An end is remembered only while somebody has no room to be told of it.
    const waited = concerned.some(({ due }) => due.has(notice.instance));
    if (notice.phase === 'ENDED' && !waited) drains.delete(notice.instance);
  };

  const look = async (instance: InstanceId): Promise<void> => {
    const view = await api.view(addressOf('instance', instance));
    const notice = view === undefined ? undefined : noticeOf(view);
    if (notice?.phase === 'PENDING') put(notice);
    else end(instance, notice);
  };

  const end = (instance: string, notice: DrainNotice | undefined): void => {
    const before = drains.get(instance);
    if (before?.phase === 'PENDING') {
      put({ ...before, phase: 'ENDED', endedBy: notice?.endedBy ?? '' });
    }
  };

  const readAll = async (): Promise<void> => {
    const notices = (await api.list('instances', { state: 'draining' })).flatMap(
      (view) => noticeOf(view) ?? [],
    );
    const pending = new Set(notices.map(({ instance }) => instance));
    for (const notice of notices) put(notice);
    for (const instance of drains.keys()) {
      const id = parseInstanceId(instance);
      if (!pending.has(instance) && id !== undefined) await look(id);
    }
  };

  const heard = ({ kind, object, event }: WatchItem): void => {
    const instance = kind === 'instance' ? parseInstanceId(object) : undefined;
    const concerns = event.startsWith('instance.drain') || drains.has(object);
    if (instance !== undefined && concerns) later(look(instance));
  };

  const resync = (): Cancel =>
    clock.after(RESYNC_MS, () => {
      if (opened === undefined) return;
      opened.cancel = resync();
      later(readAll());
    });

  const open = (): void => {
    opened = { stopWatch: api.watch(-1, heard), cancel: resync() };
    later(readAll());
  };

  const close = (): void => {
    opened?.stopWatch();
    opened?.cancel();
    opened = undefined;
    drains.clear();
  };

  return {
    follow: (follower) => {
      const seat: Seat = { follower, due: new Set(), told: new Set(), full: false };
      const { instance } = follower;
      const mates = instance === undefined ? wide : (narrow.get(instance) ?? new Set());
      if (instance !== undefined) narrow.set(instance, mates);
      mates.add(seat);
      if (opened === undefined) open();
      const known = instance === undefined ? drains.keys() : [instance];
      for (const id of known) {
        const notice = drains.get(id);
        if (notice !== undefined && wants(follower, notice)) seat.due.add(id);
      }
      flush(seat);
      return {
        resume: () => {
          seat.full = false;
          flush(seat);
        },
        stop: () => {
          mates.delete(seat);
          if (instance !== undefined && mates.size === 0) narrow.delete(instance);
          if (wide.size + narrow.size === 0) close();
        },
      };
    },
  };
}

/** What cannot be read now is read at the next resync. */
function later(reading: Promise<void>): void {
  reading.catch(() => undefined);
}

/** An end is news only to those who were told of the beginning. */
function isNews({ told }: Seat, { instance, phase }: DrainNotice): boolean {
  if (phase === 'ENDED') return told.delete(instance);
  told.add(instance);
  return true;
}

function wants({ instance, tenant }: Follower, notice: DrainNotice): boolean {
  if (instance !== undefined && instance !== notice.instance) return false;
  return tenant === undefined || tenant === notice.tenant;
}

function isSame(a: DrainNotice | undefined, b: DrainNotice): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Undefined: it does not drain and never did. */
export function noticeOf(view: JsonObject): DrainNotice | undefined {
  const drain = view['drain'];
  if (typeof drain !== 'object' || drain === null || Array.isArray(drain)) return undefined;
  const { reason, note, startedAt, deadline, endedBy } = drain as JsonObject;
  return {
    instance: text(view['id']),
    tenant: text(view['tenant']),
    group: text(view['group']),
    reason: text(reason),
    note: text(note),
    startedAtMs: Date.parse(text(startedAt)),
    deadlineMs: Date.parse(text(deadline)),
    phase: view['state'] === 'draining' ? 'PENDING' : 'ENDED',
    endedBy: text(endedBy),
  };
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
