/**
 * Applies a feed: each event once, in order, with the cursor in the same transaction as the change.
 *
 * Input:  a source, a target, whose own events need not come back, and which types are known.
 * Output: what a pass came to. The caller passes again when there is more, or after the back-off.
 *
 * Rules: [FA-1] what is applied, its id and the cursor are one transaction, and are acknowledged behind
 * it; [FA-2] an event applied before, an own one and one that its key has overtaken change nothing;
 * [FA-3] an event that cannot be applied stops the feed before it and is tried again; too often, its key
 * alone is quarantined, visibly, and the feed goes on; [FA-4] what an event's artifact says is used only
 * when its bytes are the ones that were named; [FA-5] of a quarantined key nothing is applied until it is
 * retried or let go, and then from its first event on; [FA-6] a target or a source that is away
 * quarantines nobody; [FA-7] a feed that lost its end, or is another one, is read again from where it is
 * as it was.
 */
import type { FeedFailure } from '../../machines/model/failures.js';
import type { JsonObject } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { lineOf } from '../policy/duty.js';
import { commonGround } from '../ports/feed-landmarks.js';
import type { FeedItem, FeedSource } from '../ports/feed-source.js';
import type { FeedTarget, Landmark, Quarantined } from '../ports/feed-target.js';
import type { FeedEvent } from '../ports/store.js';
import { artifactNameOf } from './artifacts.js';
import { APPLY_ATTEMPTS_MAX, READ_ITEMS } from './limits.js';

export interface ApplierOptions {
  readonly source: FeedSource;
  readonly target: FeedTarget;
  /** Whose events are not applied here: this node made them. */
  readonly node: string;
  readonly knows: (type: string) => boolean;
  readonly unknownTypes: 'halt' | 'quarantine' | 'ignore';
}

export interface FeedPass {
  readonly applied: number;
  readonly cursor: number;
  /** There may be more at once. */
  readonly more: boolean;
  readonly quarantined: readonly Quarantined[];
  /** Why it stopped before the end: to be tried again after a while. */
  readonly stopped?: string;
}

export interface Applier {
  pass(): Promise<FeedPass>;
  /** By the name under which it is quarantined. Applies what the key missed, from its first event on; the key stays when that fails. */
  retry(orderingKey: string): Promise<Result<void, string>>;
  /** Lets a key go without what it missed: its next event brings the whole aggregate. */
  letGo(orderingKey: string): Promise<Result<void, string>>;
}

type Wrong = { readonly code: 'content' | 'halt' | 'unavailable'; readonly message: string };

export function createApplier(options: ApplierOptions): Applier {
  const { source, target } = options;
  /** Of the event that stops the feed. */
  let trouble = { controlVersion: 0, attempts: 0 };

  const pass = async (): Promise<FeedPass> => {
    const standing = await target.standing();
    if (!standing.ok) return { ...NOTHING, stopped: standing.failure.message };
    const start = await onGround({ ...NOTHING, ...standing.value });
    if (start.stopped !== undefined) return start;
    const items = await source.read(start.cursor, READ_ITEMS);
    if (!items.ok) return { ...start, stopped: items.failure.message };
    const run = { ...start, more: items.value.length === READ_ITEMS };
    let so: FeedPass = run;
    for (const item of items.value) {
      so = await step(so, item);
      if (so.stopped !== undefined) break;
    }
    // A reader that is not heard is only shown less far than it is.
    if (so.cursor > start.cursor) await source.acknowledge(so.cursor);
    return so;
  };

  /** What was read is still there, under its numbers; else back to where it is. */
  const onGround = async (so: FeedPass): Promise<FeedPass> => {
    const marks = await target.landmarks();
    if (!marks.ok) return { ...so, stopped: marks.failure.message };
    const ground = await groundOf(source, so.cursor, marks.value);
    if (!ground.ok) return { ...so, stopped: ground.failure.message };
    const rewindTo = ground.value;
    if (rewindTo >= so.cursor) return so;
    return moved(so, await target.commit({ cursor: 0, rewindTo }), { cursor: rewindTo });
  };

  const step = async (so: FeedPass, item: FeedItem): Promise<FeedPass> => {
    const { controlVersion: cursor } = item;
    const key = 'event' in item ? lineOf(item.event) : `illegible/${cursor}`;
    const isHeld = so.quarantined.some(({ orderingKey }) => orderingKey === key);
    if (isHeld) return moved(so, await target.commit({ cursor }), { cursor });
    const done = 'event' in item ? await applyEvent(item.event, cursor) : illegible(item.damaged);
    if (done.ok) return { ...so, cursor, applied: so.applied + done.value };
    if (!isOver(done.failure, cursor)) return { ...so, stopped: done.failure.message };
    const quarantine = { orderingKey: key, since: cursor, error: done.failure.message };
    const committed = await target.commit({ cursor, quarantine });
    return moved(so, committed, { cursor, quarantined: [...so.quarantined, quarantine] });
  };

  /** Whether it was tried often enough; what is away is waited for. */
  const isOver = ({ code }: Wrong, cursor: number): boolean => {
    if (code !== 'content') return false;
    const attempts = trouble.controlVersion === cursor ? trouble.attempts + 1 : 1;
    trouble = { controlVersion: cursor, attempts };
    return attempts >= APPLY_ATTEMPTS_MAX;
  };

  /** How many were applied: one or none. */
  const applyEvent = async (event: FeedEvent, cursor: number): Promise<Result<number, Wrong>> => {
    const known = await target.known(event);
    if (!known.ok) return known;
    const { wasApplied, aggregateVersion } = known.value;
    // Under the number that it has now.
    if (wasApplied) return counted(await target.commit({ cursor, skip: event }), 0);
    const isOld = event.aggregateVersion <= aggregateVersion;
    if (event.type === TOMBSTONE) return counted(await target.commit({ cursor }), 0);
    if (isOld || event.node === options.node) {
      return counted(await target.commit({ cursor, skip: event }), 0);
    }
    if (!options.knows(event.type)) return unknownType(event, cursor);
    const data = await dataOf(source, event);
    if (!data.ok) return data;
    return counted(await target.commit({ cursor, apply: { event, data: data.value } }), 1);
  };

  const unknownType = async (event: FeedEvent, cursor: number): Promise<Result<number, Wrong>> => {
    const message = `nobody here knows the type ${event.type}`;
    switch (options.unknownTypes) {
      case 'ignore':
        return counted(await target.commit({ cursor, skip: event }), 0);
      case 'halt':
        return fail({ code: 'halt', message });
      case 'quarantine':
        // Waiting would not teach it to us.
        trouble = { controlVersion: cursor, attempts: APPLY_ATTEMPTS_MAX };
        return fail({ code: 'content', message });
    }
  };

  const quarantineOf = async (orderingKey: string): Promise<Result<Quarantined, string>> => {
    const standing = await target.standing();
    if (!standing.ok) return fail(standing.failure.message);
    const found = standing.value.quarantined.find((one) => one.orderingKey === orderingKey);
    return found === undefined ? fail(`${orderingKey} is not quarantined`) : ok(found);
  };

  const letGo = async (orderingKey: string): Promise<Result<void, string>> => {
    const found = await quarantineOf(orderingKey);
    if (!found.ok) return found;
    const released = await target.commit({ cursor: 0, release: orderingKey });
    return released.ok ? ok(undefined) : fail(released.failure.message);
  };

  const retry = async (orderingKey: string): Promise<Result<void, string>> => {
    const [found, standing] = [await quarantineOf(orderingKey), await target.standing()];
    if (!found.ok) return found;
    if (!standing.ok) return fail(standing.failure.message);
    const { cursor } = standing.value;
    for (let after = found.value.since - 1; after < cursor; ) {
      const items = await source.read(after, READ_ITEMS);
      if (!items.ok) return fail(items.failure.message);
      if (items.value.length === 0) break;
      for (const item of items.value) {
        after = item.controlVersion;
        const isMissed = after <= cursor && 'event' in item;
        if (!isMissed || lineOf(item.event) !== orderingKey) continue;
        const done = await applyEvent(item.event, cursor);
        if (!done.ok) return fail(done.failure.message);
      }
    }
    return letGo(orderingKey);
  };

  return { pass, retry, letGo };
}

const NOTHING: FeedPass = { applied: 0, cursor: 0, more: false, quarantined: [] };

/** Stands for an event that its sink refused: there is nothing to apply, and the event may yet come. */
const TOMBSTONE = 'event.buried';

function moved(so: FeedPass, done: Result<void, Wrong>, to: Partial<FeedPass>): FeedPass {
  return done.ok ? { ...so, ...to } : { ...so, stopped: done.failure.message };
}

/** Where the cursor may stand; past the newest landmark only what is nobody's event was read. */
async function groundOf(
  source: Pick<FeedSource, 'at' | 'head'>,
  cursor: number,
  marks: readonly Landmark[],
): Promise<Result<number, FeedFailure>> {
  const head = await source.head();
  if (!head.ok) return head;
  const ground = await commonGround(source, marks);
  if (!ground.ok) return ground;
  const stands = ground.value === (marks[0]?.controlVersion ?? 0);
  return ok(stands ? Math.min(cursor, head.value) : ground.value);
}

function counted(done: Result<void, Wrong>, applied: number): Result<number, Wrong> {
  return done.ok ? ok(applied) : done;
}

function illegible(message: string): Result<number, Wrong> {
  return fail({ code: 'content', message });
}

async function dataOf(
  source: Pick<FeedSource, 'artifact'>,
  { artifactRef, checksum, data }: FeedEvent,
): Promise<Result<JsonObject, Wrong>> {
  if (artifactRef === undefined) return ok(data);
  const found = await source.artifact(artifactRef);
  if (!found.ok) {
    const { code, message } = found.failure;
    return fail({ code: code === 'missing' ? 'content' : 'unavailable', message });
  }
  const name = artifactNameOf(found.value);
  if (name.ref !== artifactRef || name.checksum !== checksum) {
    return fail({ code: 'content', message: `the bytes of ${artifactRef} are not those` });
  }
  try {
    return ok(JSON.parse(Buffer.from(found.value).toString('utf8')) as JsonObject);
  } catch {
    return fail({ code: 'content', message: `${artifactRef} is not JSON` });
  }
}
