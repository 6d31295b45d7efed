/**
 * The configurations a reload has in hand: the one that was examined is held until its pass is over, so
 * that it is read once; one that is not at hand comes back from the store.
 *
 * Input: what the machine asks for. Output: what was found, and messages by hook. What has few messages
 * is remembered: a thread that comes back empty need not wait for a file to be read again.
 *
 * Rule: [RE-6] who is being told everything again is told all of it, whatever is read meanwhile.
 */

import { fail, ok, type Result } from '../machines/model/result.js';
import type { LoadParams } from '../machines/reload-memory.js';
import { type Examined, type Kept, type Read, refusalOf } from '../src/policy/reload.js';
import type { ConfigDesk, ConfigLetter, LetterOrder } from '../src/ports/config-file.js';
import type { ReloadPorts } from '../src/ports/reload.js';

/** Messages of all hooks together that are remembered; beyond that they are read again. */
const REMEMBERED_MAX = 2_000;

export interface ReloadDesks {
  examine(params: LoadParams): Promise<Examined>;
  /** The signal of the hook that begins now; that of the one before it is aborted. */
  begin(): AbortSignal;
  desk(kept: Kept): Promise<Result<ConfigDesk, string>>;
  letters(kept: Kept, order: LetterOrder): AsyncIterable<readonly ConfigLetter[]>;
  /** What is in hand stays there until this is done. */
  during(work: () => Promise<undefined>): Promise<undefined>;
  /** Nothing is in hand any more; of what was kept these are still needed. */
  release(keep: readonly string[]): Promise<undefined>;
  close(): void;
}

interface Held {
  readonly hash: string;
  readonly opened: Promise<Result<ConfigDesk, string>>;
}

export function createReloadDesks(ports: ReloadPorts): ReloadDesks {
  const { configFile, failpoints } = ports;
  const remembered = new Map<string, readonly ConfigLetter[]>();
  let rememberedCount = 0;
  /** The generation they are of. */
  let rememberedOf = 0;
  let held: Held | undefined;
  /** Held no more, and perhaps still asked by who converges. */
  const parted: Held[] = [];
  let busy = 0;
  /** No pass is under way. */
  let released = true;
  /** Nobody has a right to go on; what is opened yet is closed at once. */
  let closed = false;
  let retained = '';
  let current: AbortController | undefined;

  const drop = (): void => {
    if (held !== undefined) parted.push(held);
    held = undefined;
    if (busy === 0 || closed) closeParted();
  };

  const closeParted = (): void => {
    for (const { opened } of parted.splice(0)) {
      void opened.then((desk) => {
        if (desk.ok) desk.value.close();
      });
    }
  };

  const hold = (hash: string, opened: Held['opened']): void => {
    drop();
    held = { hash, opened };
    if (closed) drop();
  };

  const desk = async (kept: Kept): Promise<Result<ConfigDesk, string>> => {
    if (closed) return fail('the node is stopping');
    if (held?.hash === kept.hash) return held.opened;
    const opened = configFile.restore(kept);
    hold(kept.hash, opened);
    // The next one who asks tries again.
    void opened.then((desk) => {
      if (!desk.ok && held?.opened === opened) held = undefined;
    });
    return opened;
  };

  const keep = async (opened: ConfigDesk): Promise<Result<void, string>> => {
    failpoints.hit('reload.keep.before');
    const kept = await opened.keep();
    failpoints.hit('reload.keep.after');
    return kept;
  };

  const examine = async (params: LoadParams): Promise<Examined> => {
    released = false;
    const isBoot = params.request.trigger === 'boot';
    const opened = await (isBoot ? configFile.openAtBoot() : configFile.open());
    if (!opened.ok)
      return { kind: 'unreadable', problems: opened.failure.map((one) => ({ ...one })) };
    const { request, committed, booted, retired } = params;
    const compared = await opened.value.compare({ committed, booted, retired, prepare: !isBoot });
    const read = compared as unknown as Read;
    if (request.dryRun) return rehearsed(ports, opened.value, read);
    if (refusalOf(read, { ...request, askers: [] }) !== undefined) {
      opened.value.close();
      return read;
    }
    const isKept = committed?.hash === read.hash && committed.inline === undefined;
    const kept = isKept ? ok(undefined) : await keep(opened.value);
    hold(read.hash, Promise.resolve(ok(opened.value)));
    return kept.ok ? read : unkept(kept.failure);
  };

  const recall = ({ hook, generation, mayRecreate }: LetterOrder) =>
    mayRecreate || generation !== rememberedOf ? undefined : remembered.get(hook);

  const remember = (order: LetterOrder, letters: readonly ConfigLetter[]): void => {
    const { hook, generation, mayRecreate } = order;
    if (mayRecreate || generation < rememberedOf) return;
    if (generation > rememberedOf) {
      remembered.clear();
      rememberedCount = 0;
      rememberedOf = generation;
    }
    if (remembered.has(hook) || rememberedCount + letters.length > REMEMBERED_MAX) return;
    rememberedCount += letters.length;
    remembered.set(hook, letters);
  };

  async function* letters(kept: Kept, order: LetterOrder): AsyncGenerator<readonly ConfigLetter[]> {
    const known = recall(order);
    if (known !== undefined) return yield known;
    const opened = await desk(kept);
    if (!opened.ok) throw new Error(opened.failure);
    const all: ConfigLetter[] = [];
    for await (const batch of opened.value.letters(order)) {
      if (all.length <= REMEMBERED_MAX) all.push(...batch);
      yield batch;
    }
    remember(order, all);
  }

  return {
    examine,
    desk,
    letters,
    begin: () => {
      released = false;
      current?.abort();
      current = new AbortController();
      return current.signal;
    },
    during: async (work) => {
      busy += 1;
      try {
        return await work();
      } finally {
        busy -= 1;
        if (released && busy === 0) drop();
        else if (busy === 0) closeParted();
      }
    },
    release: async (hashes) => {
      released = true;
      if (busy === 0) drop();
      if (retained === hashes.join()) return undefined;
      retained = hashes.join();
      await configFile.retain(hashes);
      return undefined;
    },
    close: () => {
      closed = true;
      current?.abort();
      drop();
    },
  };
}

/** What it would do, and nothing of it. */
async function rehearsed(ports: ReloadPorts, desk: ConfigDesk, read: Read): Promise<Examined> {
  const plan = await ports.plan?.(desk);
  desk.close();
  return plan === undefined ? read : { ...read, plan };
}

/** A configuration that the store does not have could not be converged to after a crash. */
function unkept(reason: string): Examined {
  const place = { file: '', line: 1, column: 1, path: '', code: 'parse' };
  const message = `the configuration cannot be stored: ${reason}`;
  return { kind: 'unreadable', problems: [{ ...place, message }] };
}
