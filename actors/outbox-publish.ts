/**
 * Publishing the rows of a pass: each behind the one before it of its key, after the artifact that it
 * names; and what the sink's answers come to, burials included.
 */
import { fail } from '../machines/model/result.js';
import type { Sink } from '../src/ports/sink.js';
import type { OutboxOutcome, OutboxRow } from '../src/ports/store.js';
import { bringArtifact } from './outbox-artifacts.js';
import type { OutboxPorts, Rule } from './outbox-backlog.js';
import { type Chains, createChains } from './outbox-chains.js';
import { type Judgement, judge, type Refused, tombstoneOf } from './outbox-lanes.js';

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
  rows: readonly OutboxRow[],
  { settings, clock }: Rule,
): Promise<Sent> {
  const { sink, failpoints, metrics } = ports;
  const startedMs = clock.monotonic();
  const chains = createChains();
  if (rows.length > 0) failpoints.hit('publish.before');
  const results = rows.length === 0 ? [] : await appendAll(ports, rows, chains);
  const { maxAttempts } = settings;
  const judgement = judge(rows, results, { maxAttempts, nowMs: clock.now() });
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

/** What events name has to be there before they are. What cannot be read is refused without asking. */
async function appendAll(
  { sink, store }: OutboxPorts,
  rows: readonly OutboxRow[],
  chains: Chains,
): Promise<Answers> {
  const legible = rows.filter(({ damaged }) => damaged === undefined);
  const events = legible.map((row) => chains.next(row, row.event));
  const refs = new Set(events.flatMap(({ artifactRef }) => artifactRef ?? []));
  for (const ref of refs) {
    const brought = await bringArtifact(store, sink, ref);
    if (!brought.ok) return rows.map(() => brought);
  }
  const answers = await sink.append(events);
  if (legible.length === rows.length) return answers;
  const inOrder = answers[Symbol.iterator]();
  return rows.map(({ damaged }) =>
    damaged === undefined
      ? (inOrder.next().value ?? fail(NO_ANSWER))
      : fail({ code: 'content' as const, message: damaged }),
  );
}

const NO_ANSWER = { code: 'unavailable', message: 'the sink gave no answer' } as const;

/** A row is dead only when its tombstone is in the feed; one whose tombstone is refused too, anyway. */
async function bury(sink: Sink, dead: readonly Refused[], chains: Chains) {
  if (dead.length === 0) {
    return { buried: [], sinkDown: undefined, isFenced: false, resendFromSeq: undefined };
  }
  // What was illegible has no aggregate: nothing stands in its place.
  const named = dead.filter(({ row }) => row.damaged === undefined);
  const stones = named.map(({ row }) => chains.next(row, tombstoneOf(row.event)));
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
