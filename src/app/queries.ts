/**
 * What one thread may ask another: reading views, and a few verbs of the runtime. The same names serve
 * the thread itself, so main asks itself as it asks the others.
 */
import { ACTOR_KINDS, type ActorKind, parseAddress } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import { INSPECTOR_LIMITS } from '../adapters/inspector/limits.js';
import { createTap, tapRequestOf } from '../adapters/inspector/tap.js';
import type { LogLevel } from '../adapters/system/log.js';
import type { Host } from '../runtime/host.js';
import type { Generation } from './generation.js';
import type { Parts } from './parts.js';

export type Answer = (name: string, args: Json) => Json | Promise<Json>;

export interface QueryOptions {
  readonly host: Host;
  readonly parts: Parts;
  readonly generation: Generation;
  /** Where the database is open. */
  readonly retain?: (settings: JsonObject) => void;
}

/** Of those that take no messages: an operator looks up the others. */
const QUARANTINED_MAX = 10;

export function answerQueries({ host, parts, generation, retain }: QueryOptions): Answer {
  const tap = createTap(host, parts.clock, INSPECTOR_LIMITS);
  const answers: Readonly<Record<string, Answer>> = {
    views: (_, kind) => viewsOf(host, kind),
    view: (_, text) => viewAt(host, text),
    actors: () => host.actorViews(),
    deadLetters: () => host.deadLetters.list().map((letter) => ({ ...letter })),
    reflexOnly: () => host.reflexOnly ?? null,
    resume: (_, text) => {
      const address = parseAddress(String(text));
      return address !== undefined && host.resume(address);
    },
    metrics: () => parts.snapshot(),
    logLevel: (_, level) => {
      parts.rootLog.setLevel(level as LogLevel);
      return true;
    },
    retention: (_, settings) => retain?.(settings as JsonObject) ?? null,
    quarantined: (_, kinds) => [
      ...host.quarantined(kinds as readonly ActorKind[], QUARANTINED_MAX),
    ],
    duty: async (_, onDuty) => {
      if (onDuty !== true) return host.layDown().then(() => true);
      return (await host.takeUp()).ok;
    },
    acknowledged: (_, seqs) => {
      const [upTo = 0, ...lost] = seqs as readonly number[];
      host.acknowledged(upTo, lost);
      return true;
    },
    generation: (_, value) => generation.raise(Number(value)),
    tap: (_, request) => tap.read(tapRequestOf(request)) as unknown as Json,
  };
  return (name, args) => answers[name]?.(name, args) ?? null;
}

function viewAt(host: Host, text: Json): Json {
  const address = parseAddress(String(text));
  return (address === undefined ? undefined : host.view(address)) ?? null;
}

function viewsOf(host: Host, kind: Json): Json {
  const known = ACTOR_KINDS.find((actorKind: ActorKind) => actorKind === kind);
  return known === undefined ? [] : host.views(known);
}
