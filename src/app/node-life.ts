/**
 * A life of the daemon, as the feed hears of it: that it serves, and that it was told to stop. Whoever was
 * killed tells nothing; the next life's beginning says so.
 *
 * Rule: [ND-1] each life of the daemon is told once when it serves, and once when it is told to stop; a
 * store that takes nothing is not waited for.
 */
import { addressOf } from '../../machines/model/ids.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import type { Clock, Ids } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Decision, Store } from '../ports/store.js';

export interface NodeLifeInput {
  readonly store: Pick<Store, 'commit' | 'load'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly node: string;
  readonly version: string;
  readonly epoch: number;
  /** There is something to publish, up to this row. */
  appended(seq: number): void;
}

export type NodeLifeEvent = 'node.started' | 'node.stopping';

/** Nobody else writes as this thread: no fence is ever about it. */
const THREAD = 'node';
const COMMIT_MAX_MS = 2_000;

export async function tellOfLife(input: NodeLifeInput, event: NodeLifeEvent): Promise<void> {
  const { clock, log } = input;
  const told = commit(input, event).catch((error: unknown) => String(error));
  const patience = new Promise<string>((resolve) => {
    const cancel = clock.after(COMMIT_MAX_MS, () => resolve('the store did not answer in time'));
    void told.then(cancel);
  });
  const problem = await Promise.race([told, patience]);
  if (problem !== undefined) log.warn({ event, problem }, 'the feed does not hear of this');
}

async function commit(input: NodeLifeInput, event: NodeLifeEvent): Promise<string | undefined> {
  const generation = await storedGeneration(input.store);
  if (!generation.ok) return generation.failure;
  const [outcome] = await input.store.commit([decisionOf(input, event, generation.value)]);
  if (outcome?.ok === true) input.appended(outcome.value.outboxSeq);
  return outcome?.ok === false ? outcome.failure.message : undefined;
}

/** Of the configuration committed last. */
export async function storedGeneration(
  store: Pick<Store, 'load'>,
): Promise<Result<number, string>> {
  const rows = await store.load(['reload']);
  if (!rows.ok) return fail(rows.failure.message);
  const generation = Number(rows.value[0]?.context['generation'] ?? 0);
  return ok(Number.isSafeInteger(generation) ? generation : 0);
}

function decisionOf(
  { node, version, epoch, ids, clock }: NodeLifeInput,
  event: NodeLifeEvent,
  generation: number,
): Decision {
  const aggregate = { aggregateKind: 'node', aggregateId: node };
  const data = { node, version, generation, epoch };
  return {
    ...{ id: ids.next(), at: clock.now(), actor: addressOf('reload', 'main'), cause: 'boot' },
    ...{ thread: THREAD, incarnation: 1, spawns: [], forget: false, configGeneration: generation },
    cell: undefined,
    records: [{ event, rule: 'ND-1', numbers: { version }, publish: { ...aggregate, data } }],
  };
}
