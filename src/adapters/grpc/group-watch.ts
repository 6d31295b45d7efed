/**
 * Follows groups on behalf of one reader: all of them, then each that changes.
 *
 * Levels, not edges: the journal only says that something happened; then the groups are read again, at most
 * once in a while, and what differs from what the reader was told is told. A full reader costs one such
 * memory and no queue.
 */
import type { JsonObject } from '../../../machines/model/json.js';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { Log } from '../../ports/log.js';
import type { NodeApi } from '../../ports/node-api.js';

export interface GroupEvent {
  readonly json?: Buffer;
  readonly removed?: string;
}

export interface GroupWatchOptions {
  readonly api: Pick<NodeApi, 'list' | 'watch'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Empty: all. */
  readonly tenant: string;
  /** False: told, but no more until `resume`. */
  tell(event: GroupEvent): boolean;
}

/** Groups are read again at most this often, and at least each `RESYNC_MS`. */
const SETTLE_MS = 500;
const RESYNC_MS = 30_000;

const KINDS: readonly string[] = ['group', 'instance', 'tenant', 'override'];

export function watchGroups(options: GroupWatchOptions) {
  const { api, clock, log, tenant, tell } = options;
  const told = new Map<string, string>();
  let full = false;
  let stopped = false;
  let dirty = true;
  let timer: Cancel | undefined;

  const say = (key: string, text: string | undefined): void => {
    if (full || told.get(key) === text) return;
    if (text === undefined) told.delete(key);
    else told.set(key, text);
    full = !tell(text === undefined ? { removed: key } : { json: Buffer.from(text) });
  };

  const read = async (): Promise<void> => {
    dirty = false;
    const groups = await api.list('groups', tenant === '' ? {} : { tenant });
    if (stopped) return;
    const now = new Map(groups.map((group) => [keyOf(group), JSON.stringify(group)]));
    for (const [key, text] of now) say(key, text);
    for (const key of told.keys()) if (!now.has(key)) say(key, undefined);
    dirty ||= full;
  };

  const later = (delayMs: number): void => {
    timer?.();
    timer = clock.after(delayMs, () => {
      if (stopped) return;
      later(RESYNC_MS);
      if (full) return;
      read().catch((error: unknown) => log.error({ err: error }, 'groups cannot be read'));
    });
  };

  const stopWatch = api.watch(-1, ({ kind }) => {
    if (dirty || !KINDS.includes(kind)) return;
    dirty = true;
    later(SETTLE_MS);
  });
  later(0);
  return {
    resume: () => {
      full = false;
      later(0);
    },
    stop: () => {
      stopped = true;
      timer?.();
      stopWatch();
    },
  };
}

function keyOf({ tenant, name }: JsonObject): string {
  return `${tenant}/${name}`;
}
