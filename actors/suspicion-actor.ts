/**
 * The suspicion actor: one for the node, in the thread of the dataplane. The levels of all backends are bulk
 * data beside the machine.
 */
import { addressOf, type BackendName } from '../machines/model/ids.js';
import type { SuspicionLevel } from '../machines/model/suspicion.js';
import {
  type HearingCounted,
  type SuspicionEvent,
  type SuspicionMemory,
  suspicionMachine,
  suspicionShape,
} from '../machines/suspicion.js';
import { clears, raises } from '../src/policy/suspicion.js';
import { type ActorType, observed, protective, type World } from '../src/runtime/actor-type.js';

interface Hearing {
  /** Backend → since when it is silent; `null`: it answers. */
  readonly backends: Map<BackendName, number | null>;
  silent: number;
  suspecting: boolean;
}

type SuspicionWorld = World<unknown, Hearing>;

function takeHearing(event: SuspicionEvent, { companion, scope }: SuspicionWorld): void {
  if (event.type !== 'hearing.level') return;
  const { backends } = companion;
  const before = backends.get(event.backend);
  if (event.hearing === 'gone') backends.delete(event.backend);
  else backends.set(event.backend, event.hearing === 'silent' ? (before ?? event.meta.at) : null);
  const after = backends.get(event.backend);
  companion.silent += silence(after) - silence(before);
  const suspect = judge(companion, event.meta.at);
  if (suspect === companion.suspecting) return;
  companion.suspecting = suspect;
  const { silent } = companion;
  const counted: HearingCounted = {
    type: 'hearing.counted',
    ...{ suspect, silent, total: backends.size },
  };
  scope.tell(scope.self, counted);
}

function silence(since: number | null | undefined): 0 | 1 {
  return typeof since === 'number' ? 1 : 0;
}

/** Looks at each only when so many are silent that it may matter. */
function judge({ backends, silent, suspecting }: Hearing, nowMs: number): boolean {
  if (silent <= backends.size / 2) return false;
  const silentSinceMs = [...backends.values()].filter((since) => since !== null);
  const hearing = { total: backends.size, silentSinceMs };
  return suspecting ? !clears(hearing) : raises(hearing, nowMs);
}

export const suspicionActor: ActorType<unknown, Hearing> = {
  kind: 'suspicion',
  machine: suspicionMachine,
  version: 1,
  stored: false,
  implicit: true,
  effects: {
    takeHearing: observed(takeHearing),
    tellBackends: protective(
      ({ untilMs }: { readonly untilMs: number }, { companion, scope }: SuspicionWorld) => {
        companion.suspecting = untilMs > 0;
        const message: SuspicionLevel = { type: 'suspicion.level', untilMs };
        for (const name of companion.backends.keys()) {
          scope.tell(addressOf('backend', name), message);
        }
      },
    ),
  },
  companion: () => ({ backends: new Map(), silent: 0, suspecting: false }),
  view: ({ context, value }) =>
    suspicionShape(context as unknown as SuspicionMemory, value === 'suspecting'),
  coalesce: (message) => {
    const { backend } = message as { readonly backend?: string };
    return message.type === 'hearing.level' ? `hearing ${backend}` : undefined;
  },
};
