/**
 * Reading across threads: every host answers with the JSON shapes of its own actors, this joins them.
 * A thread that is being replaced answers with nothing for that moment; its actors come back.
 */
import type { ActorKind, Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import type { Result } from '../../machines/model/result.js';
import type { AskFailure } from '../runtime/asks.js';
import type { DeadLetter } from '../runtime/dead-letters.js';

export interface Directory {
  views(kind: ActorKind): Promise<readonly JsonObject[]>;
  /** Of one actor; undefined: there is none. */
  view(address: Address): Promise<JsonObject | undefined>;
  actors(): Promise<readonly JsonObject[]>;
  deadLetters(): Promise<readonly DeadLetter[]>;
  /** Why threads cannot commit at the moment, by thread. */
  reflexOnly(): Promise<readonly { readonly thread: string; readonly reason: string }[]>;
  ask(to: Address, message: Message): Promise<Result<Json, AskFailure>>;
  /** Without an answer; at most once. */
  tell(to: Address, message: Message): void;
  resume(address: Address): Promise<boolean>;
}
