/**
 * The threads of one node seen from main, or the single thread that is all of them: one interface, so
 * that nothing above it knows which.
 */
import type { ActorKind, Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import type { Result } from '../../machines/model/result.js';
import type { AskFailure } from '../runtime/asks.js';
import type { DeadLetter } from '../runtime/dead-letters.js';
import type { Host } from '../runtime/host.js';
import type { Directory } from './directory.js';
import type { Answer } from './queries.js';

/** Reads one thread by query name; `undefined`: it is not there at the moment. */
export type Query = (thread: string, name: string, args: Json) => Promise<Json | undefined>;

export interface ClusterOptions {
  readonly host: Host;
  /** Answers the queries of main itself. */
  readonly own: Answer;
  /** Other threads, in a fixed order; empty in a single-thread node. */
  readonly others: readonly string[];
  readonly query: Query;
}

export interface Cluster extends Directory {
  /** Every thread's answer to one query; threads that are away are left out. */
  everywhere(name: string, args: Json): Promise<readonly { thread: string; answer: Json }[]>;
}

/** Reloads wait for files and for every hook in turn; everything else answers at once. */
const RELOAD_TIMEOUT_MS = 300_000;
/** What waits for files, or for a provider's whole list. */
const SLOW: readonly string[] = ['reload.requested', 'operator.sweep'];

export function createCluster({ host, own, others, query }: ClusterOptions): Cluster {
  const everywhere: Cluster['everywhere'] = async (name, args) => {
    const answers = await Promise.all([
      Promise.resolve(own(name, args)).then((answer) => ({ thread: 'main', answer })),
      ...others.map(async (thread) => ({ thread, answer: await query(thread, name, args) })),
    ]);
    return answers.flatMap(({ thread, answer }) =>
      answer === undefined || answer === null ? [] : [{ thread, answer }],
    );
  };

  const joined = async <T>(name: string, args: Json): Promise<readonly T[]> =>
    (await everywhere(name, args)).flatMap(({ answer }) => answer as unknown as readonly T[]);

  return {
    everywhere,
    views: (kind: ActorKind) => joined<JsonObject>('views', kind),
    view: async (address: Address) =>
      (await everywhere('view', address))[0]?.answer as JsonObject | undefined,
    actors: () => joined<JsonObject>('actors', null),
    deadLetters: () => joined<DeadLetter>('deadLetters', null),
    reflexOnly: async () =>
      (await everywhere('reflexOnly', null)).map(({ thread, answer }) => ({
        thread,
        reason: String(answer),
      })),
    resume: async (address: Address) =>
      (await everywhere('resume', address)).some(({ answer }) => answer === true),
    tell: (to, message) => host.tell(to, message, `outside:${message.type}`),
    ask: (to: Address, message: Message): Promise<Result<Json, AskFailure>> =>
      SLOW.includes(message.type)
        ? host.ask(to, message, RELOAD_TIMEOUT_MS)
        : host.ask(to, message),
  };
}
