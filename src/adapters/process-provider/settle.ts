/**
 * Finishes what a crash left between "about to start" and "started": the process of such a record is
 * looked for by the token in its environment. Found: it was started, the record is completed. Not
 * found: it was not (or is dead), the record goes. A record that cannot be read goes likewise, unless
 * its process lives: then nobody may say what exists until an operator looked.
 */
import type { Clock } from '../../ports/clock.js';
import type { Log } from '../../ports/log.js';
import { type ProcessIdentity, sessionsByEnvironment } from '../proc/processes.js';
import { SECOND_LOOK_MS } from './limits.js';
import { type InstanceRecord, idOfToken, type RecordStore } from './records.js';
import { TOKEN_VARIABLE, tokenIn } from './spec.js';

export interface Settled {
  readonly records: ReadonlyMap<string, InstanceRecord>;
  /** Ids of unreadable records whose process lives. */
  readonly unclear: readonly string[];
}

export async function settle(
  store: RecordStore,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<Settled> {
  const { records, unreadable } = await store.load();
  const halves = records.filter((record) => record.process === undefined);
  const unsettled = halves.length + unreadable.length > 0;
  const living = unsettled ? await livingById(clock) : new Map<string, ProcessIdentity>();

  const completed = await Promise.all(
    halves.map((record) => completeOrRemove(store, record, living.get(record.id))),
  );
  for (const id of unreadable) {
    log.warn({ id, alive: living.has(id) }, 'unreadable record of a process instance');
    if (!living.has(id)) await store.remove(id);
  }
  const whole = records.filter((record) => record.process !== undefined);
  return {
    records: new Map([...whole, ...completed.flat()].map((record) => [record.id, record])),
    unclear: unreadable.filter((id) => living.has(id)),
  };
}

async function completeOrRemove(
  store: RecordStore,
  record: InstanceRecord,
  process: ProcessIdentity | undefined,
): Promise<readonly InstanceRecord[]> {
  if (process === undefined) {
    await store.remove(record.id);
    return [];
  }
  const complete = { ...record, process };
  await store.write(complete);
  return [complete];
}

/**
 * Who lives, by the id its token makes. Looked for twice: in the midst of its exec a process is there
 * but shows no environment yet.
 */
async function livingById(clock: Clock): Promise<ReadonlyMap<string, ProcessIdentity>> {
  const first = sessionsByEnvironment(TOKEN_VARIABLE);
  await new Promise<void>((resolve) => {
    clock.after(SECOND_LOOK_MS, resolve);
  });
  const both = [...first, ...sessionsByEnvironment(TOKEN_VARIABLE)];
  return new Map(both.map(([variable, identity]) => [idOfToken(tokenIn(variable)), identity]));
}
