/**
 * What one thread may ask another: reading views, and a few verbs of the runtime. The same names serve
 * the thread itself, so main asks itself as it asks the others.
 */
import { ACTOR_KINDS, type ActorKind, parseAddress } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { LogLevel } from '../adapters/system/log.js';
import type { Host } from '../runtime/host.js';
import type { TapFrame } from '../runtime/kernel.js';
import type { Generation } from './generation.js';
import type { Parts } from './parts.js';

export type Answer = (name: string, args: Json) => Json | Promise<Json>;

/** Steps kept for an inspector between two of its reads; older ones are dropped. */
const TAP_FRAMES_MAX = 2_000;

export interface QueryOptions {
  readonly host: Host;
  readonly parts: Parts;
  readonly generation: Generation;
}

export function answerQueries({ host, parts, generation }: QueryOptions): Answer {
  const tap = createTap(host);
  const answers: Readonly<Record<string, Answer>> = {
    views: (_, kind) => viewsOf(host, kind),
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
    generation: (_, value) => generation.raise(Number(value)),
    tap: (_, on) => tap.read(on === true),
  };
  return (name, args) => answers[name]?.(name, args) ?? null;
}

function viewsOf(host: Host, kind: Json): Json {
  const known = ACTOR_KINDS.find((actorKind: ActorKind) => actorKind === kind);
  return known === undefined ? [] : host.views(known);
}

interface Tap {
  /** Steps since the last read; reading with `false` stops the recording. */
  read(on: boolean): readonly JsonObject[];
}

function createTap(host: Host): Tap {
  let frames: TapFrame[] = [];
  let recording = false;
  const listen = (frame: TapFrame): void => {
    if (frames.length < TAP_FRAMES_MAX) frames.push(frame);
  };
  return {
    read: (on) => {
      if (on !== recording) host.tap(on ? listen : undefined);
      recording = on;
      const taken = frames;
      frames = [];
      return taken.map((frame) => ({ ...frame, event: { ...frame.event } }));
    },
  };
}
