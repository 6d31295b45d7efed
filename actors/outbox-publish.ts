/**
 * Publishing the rows of a pass: each behind the one before it of its key, after the artifact that it
 * names; and what the sink's answers come to, burials included.
 */
import { fail } from '../machines/model/result.js';
import { feedTextOf, wholeOf } from '../src/ports/feed-text.js';
import type { Sink } from '../src/ports/sink.js';
import type { OutboxOutcome, PendingRow } from '../src/ports/store.js';
import { bringArtifact } from './outbox-artifacts.js';
import type { OutboxPorts, Rule } from './outbox-backlog.js';
import { type Chains, createChains } from './outbox-chains.js';
import { type Judgement, judge, type Refused, tombstoneOf } from './outbox-lanes.js';
import type { Picked } from './outbox-pick.js';

export interface Sent {
  readonly heads: ReadonlyMap<string, string>;
  readonly outcomes: readonly OutboxOutcome[];
  readonly judgement: Judgement;
  readonly buried: readonly Refused[];
  readonly sinkDown: string | undefined;
  readonly isFenced: boolean;
  readonly resendFromSeq: number | undefined;
}

export async function publish(
  ports: OutboxPorts,
  { rows, heads }: Pick<Picked, 'rows' | 'heads'>,
  { settings, clock }: Rule,
): Promise<Sent> {
  const { sink, failpoints, metrics } = ports;
  const startedMs = clock.monotonic();
  const chains = createChains(heads);
  if (rows.length > 0) failpoints.hit('publish.before');
  const results = rows.length === 0 ? [] : await appendAll(ports, rows, chains);
  const { maxAttempts } = settings;
  const judgement = judge(rows, results, { maxAttempts, nowMs: clock.monotonic() });
  const graves = await bury(sink, judgement.dead, chains);
  if (rows.length > 0) failpoints.hit('publish.after');
  metrics?.observe('outbox_publish_seconds', (clock.monotonic() - startedMs) / 1000);
  const dead = graves.buried.map(({ row, error }) => ({
    ...{ seq: row.seq, error, dead: true as const },
  }));
  const again = [judgement.resendFromSeq, graves.resendFromSeq].filter((seq) => seq !== undefined);
  const refusals = results.map((result) => (result.ok ? undefined : result.failure.code));
  return {
    ...chains.close([...judgement.outcomes, ...dead]),
    judgement,
    buried: graves.buried,
    sinkDown: judgement.sinkDown ?? graves.sinkDown,
    isFenced: refusals.includes('fenced') || graves.isFenced,
    resendFromSeq: again.length === 0 ? undefined : Math.min(...again),
  };
}

type Answers = Awaited<ReturnType<Sink['append']>>;

/**
 * What events name has to be there before they are. What cannot be read, or names what is lost, is refused
 * without asking, and so is what is behind it in its lane.
 */
async function appendAll(
  ports: OutboxPorts,
  rows: readonly PendingRow[],
  chains: Chains,
): Promise<Answers> {
  const refused = new Map<number, string>();
  const barred = new Set<string>();
  const brought = new Set<string>();
  for (const { seq, event, damaged } of rows) {
    const { artifactRef, orderingKey } = event;
    let problem = damaged ?? (barred.has(orderingKey) ? BEHIND : undefined);
    if (problem === undefined && artifactRef !== undefined && !brought.has(artifactRef)) {
      const done = await bringArtifact(ports.store, ports.sink, artifactRef);
      if (!done.ok && done.failure.code !== 'content') return rows.map(() => done);
      if (done.ok) brought.add(artifactRef);
      else problem = done.failure.message;
    }
    if (problem === undefined) continue;
    refused.set(seq, problem);
    barred.add(orderingKey);
  }
  const taken = rows.filter(({ seq }) => !refused.has(seq));
  const events = taken.map((row) => chains.next(row, row.event));
  const answers = events.length === 0 ? [] : await ports.sink.append(events);
  if (refused.size === 0) return answers;
  const inOrder = answers[Symbol.iterator]();
  return rows.map(({ seq }) => {
    const message = refused.get(seq);
    return message === undefined
      ? (inOrder.next().value ?? fail(NO_ANSWER))
      : fail({ code: 'content' as const, message });
  });
}

const BEHIND = 'behind a refused event of its ordering key';
const NO_ANSWER = { code: 'unavailable', message: 'the sink gave no answer' } as const;

/** A row is dead only when its tombstone is in the feed; one whose tombstone is refused too, anyway. */
async function bury(sink: Sink, dead: readonly Refused[], chains: Chains) {
  if (dead.length === 0) {
    return { buried: [], sinkDown: undefined, isFenced: false, resendFromSeq: undefined };
  }
  // What was illegible has no aggregate: nothing stands in its place.
  const named = dead.filter(({ row }) => row.damaged === undefined);
  const stones = named.map(({ row }) =>
    chains.next(row, feedTextOf(tombstoneOf(wholeOf(row.event)))),
  );
  const results = stones.length === 0 ? [] : await sink.append(stones);
  const answers = results[Symbol.iterator]();
  const failures = dead.map(({ row }) => {
    const result = row.damaged === undefined ? answers.next().value : undefined;
    return result?.ok === false ? result.failure : undefined;
  });
  const down = failures.findIndex((failure) => failure !== undefined && failure.code !== 'content');
  const buried = down < 0 ? dead : dead.slice(0, down);
  return {
    buried,
    sinkDown: failures[down]?.message,
    isFenced: failures[down]?.code === 'fenced',
    resendFromSeq: dead[buried.length]?.row.seq,
  };
}
