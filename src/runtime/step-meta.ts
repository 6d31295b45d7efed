/**
 * What the runtime adds to an event before a machine sees it. Time, an id and a random number are made
 * when the machine first asks, or when it decides: most steps need none of them, and a step takes no
 * time.
 */
import type { Meta } from '../../machines/model/effects.js';
import type { Address } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import type { Clock, Ids, Random } from '../ports/clock.js';
import { createRevision, type Revision } from './compile/revision.js';
import type { Envelope } from './envelope.js';

export interface MetaSources {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
}

/** A class, because a getter on a prototype costs nothing until it is read. */
export class StepMeta implements Meta {
  private readonly sources: MetaSources;
  private readonly envelope: Envelope;
  private madeAt: number | undefined = undefined;
  private madeId: string | undefined = undefined;
  private drawn: number | undefined = undefined;

  constructor(sources: MetaSources, envelope: Envelope) {
    this.sources = sources;
    this.envelope = envelope;
  }

  get cause(): string {
    return this.envelope.cause;
  }

  get from(): Address {
    return this.envelope.from;
  }

  /** Absent and undefined are the same to every machine. */
  get replyTo(): string {
    return this.envelope.replyTo as string;
  }

  get at(): number {
    this.madeAt ??= this.sources.clock.now();
    return this.madeAt;
  }

  get id(): string {
    this.madeId ??= this.sources.ids.next();
    return this.madeId;
  }

  get random(): number {
    this.drawn ??= this.sources.random.next();
    return this.drawn;
  }
}

/** Types of messages there are some dozens of; of those beyond, each event is spread. */
const TYPES_MAX = 512;

export type Stamp = (body: Message, meta: Meta) => Message & { readonly meta: Meta };

/** A message as a machine sees it: the same with `meta`, made by a literal written for its type. */
export function createStamp(): Stamp {
  const byType = new Map<string, Revision>();
  return (body, meta) => {
    let revision = byType.get(body.type);
    if (revision === undefined) {
      if (byType.size >= TYPES_MAX) return { ...body, meta };
      revision = createRevision({ meta: (given: unknown) => given });
      byType.set(body.type, revision);
    }
    return revision.of(body as never, meta, undefined) as never;
  };
}

/** A type, not an interface: it is JSON. */
type PlainMeta = { readonly [K in keyof Meta]: Meta[K] };

/** The same as plain data, for what is kept or leaves the thread. */
export function plainMeta({ at, random, id, cause, from, replyTo }: Meta): PlainMeta {
  const plain = { at, random, id, cause, from };
  return replyTo === undefined ? plain : { ...plain, replyTo };
}
