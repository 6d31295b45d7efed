/**
 * A walk nobody planned over a machine of the project: messages drawn from its samples, timers that are
 * armed, types it does not know; fields varied now and then, best with what its context already holds
 * under the same name, so that tokens, revisions and passes match often enough to get somewhere.
 */
import type { Json } from '../../machines/model/json.js';
import type { Random } from '../../src/ports/clock.js';
import type { Samples } from './machine-samples.js';
import { nat, pick } from './random-machines.js';
import type { Seen } from './three-ways.js';

export interface Drawn {
  readonly event: { readonly type: string };
  /** It is a timer that is armed. */
  readonly fired: boolean;
}

export interface Walker {
  next(now: Seen): Drawn;
}

const VARIED = 0.12;

export function createWalker(random: Random, { events }: Samples): Walker {
  const elsewhere = new Map<string, Json[]>();
  for (const event of events) collectFields(event as unknown as Json, elsewhere);
  let steps = 0;

  function fieldLike(key: string, now: Seen): Json | undefined {
    const inContext = new Map<string, Json[]>();
    collectFields(now.context, inContext);
    const known = random.next() < 0.7 ? inContext.get(key) : undefined;
    const candidates = known ?? elsewhere.get(key) ?? [];
    return candidates.length === 0 ? undefined : pick(random, candidates);
  }

  function vary(value: Json, key: string, now: Seen): Json {
    if (Array.isArray(value)) return value.map((item) => vary(item, key, now));
    if (typeof value === 'object' && value !== null) {
      const fields = Object.entries(value as Record<string, Json>);
      return Object.fromEntries(fields.map(([name, field]) => [name, vary(field, name, now)]));
    }
    if (key === 'type' || random.next() > VARIED) return value;
    const found = fieldLike(key, now);
    if (found !== undefined && typeof found === typeof value) return found;
    if (typeof value === 'boolean') return !value;
    return typeof value === 'number' ? value + nat(random, 3) - 1 : value;
  }

  function meta() {
    const id = `step-${steps}`;
    const base = { at: 1_000_000 + steps * 700, random: random.next(), id, cause: 'walk' };
    const from = 'reload/main';
    return random.next() < 0.2 ? { ...base, from, replyTo: `main:${steps}` } : { ...base, from };
  }

  return {
    next: (now) => {
      steps += 1;
      const due = Object.keys(now.timers);
      if (due.length > 0 && random.next() < 0.2) {
        return { event: { type: pick(random, due), meta: meta() } as Drawn['event'], fired: true };
      }
      const type = 'unheard.of';
      if (random.next() < 0.03) return { event: { type, meta: meta() } as never, fired: false };
      const sample = pick(random, events);
      const event = random.next() < 0.6 ? sample : vary(sample as unknown as Json, '', now);
      return { event: { ...(event as { type: string }), meta: meta() } as never, fired: false };
    },
  };
}

function collectFields(value: Json, into: Map<string, Json[]>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, field] of Object.entries(value)) {
    if (typeof field === 'object' && field !== null) collectFields(field as Json, into);
    else into.set(key, [...(into.get(key) ?? []), field as Json]);
  }
}
