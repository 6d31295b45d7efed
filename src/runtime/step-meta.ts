/**
 * What the runtime adds to an event before a machine sees it. Time is taken when the step begins;
 * an id and a random number only when the machine asks, or when it decides: most steps need neither.
 */
import type { Meta } from '../../machines/model/effects.js';
import type { Address } from '../../machines/model/ids.js';
import type { Clock, Ids, Random } from '../ports/clock.js';
import type { Envelope } from './envelope.js';

export interface MetaSources {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
}

/** A class, because a getter on a prototype costs nothing until it is read. */
export class StepMeta implements Meta {
  readonly at: number;
  readonly cause: string;
  readonly from: Address;
  readonly replyTo?: string;
  private readonly sources: MetaSources;
  private madeId: string | undefined = undefined;
  private drawn = -1;

  constructor(sources: MetaSources, { cause, from, replyTo }: Envelope) {
    this.at = sources.clock.now();
    this.cause = cause;
    this.from = from;
    this.sources = sources;
    if (replyTo !== undefined) this.replyTo = replyTo;
  }

  get id(): string {
    this.madeId ??= this.sources.ids.next();
    return this.madeId;
  }

  get random(): number {
    if (this.drawn < 0) this.drawn = this.sources.random.next();
    return this.drawn;
  }
}

/** A type, not an interface: it is JSON. */
type PlainMeta = { readonly [K in keyof Meta]: Meta[K] };

/** The same as plain data, for what is kept or leaves the thread. */
export function plainMeta({ at, random, id, cause, from, replyTo }: Meta): PlainMeta {
  const plain = { at, random, id, cause, from };
  return replyTo === undefined ? plain : { ...plain, replyTo };
}
