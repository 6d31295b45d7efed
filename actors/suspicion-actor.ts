/**
 * The suspicion actor: one for the node, in the thread of the dataplane. What it hears of all backends is bulk
 * data beside the machine (suspicion-round.ts).
 */
import { addressOf, type BackendName } from '../machines/model/ids.js';
import type { HearingAsked, SuspicionLevel } from '../machines/model/suspicion.js';
import {
  type HearingCounted,
  type RoundParams,
  type RoundTurn,
  type SuspicionEvent,
  type SuspicionMemory,
  suspicionMachine,
  suspicionShape,
  type TrustParams,
} from '../machines/suspicion.js';
import { conclusionOf, ROUND_MS, SILENT_MIN } from '../src/policy/suspicion.js';
import { type ActorType, observed, protective, type World } from '../src/runtime/actor-type.js';
import {
  beginRound,
  type Hearing,
  hear,
  judge,
  newHearing,
  noteAnswer,
} from './suspicion-round.js';

type SuspicionWorld = World<unknown, Hearing>;

function takeHearing(event: SuspicionEvent, world: SuspicionWorld): void {
  if (event.type !== 'hearing.level') return;
  const { companion } = world;
  const nowMs = event.meta.at;
  const recovered = hear(companion, event, nowMs);
  if (event.doubts) wait(event.backend, nowMs, world);
  if (noteAnswer(companion, event)) conclude(world, false);
  const suspect = judge(companion, nowMs, recovered);
  if (companion.silent > companion.backends.size / 2) companion.byRound = false;
  if (suspect !== (companion.trust !== 'calm')) turn(suspect, world);
}

/** Until the round has spoken, or as long as everybody. Too few backends say nothing about us. */
function wait(backend: BackendName, nowMs: number, { companion, scope }: SuspicionWorld): void {
  const { backends, waiting, trust, holdUntilMs } = companion;
  if (trust === 'suspecting')
    return tell(backend, { untilMs: holdUntilMs, believed: false }, scope);
  if (backends.size < SILENT_MIN) return tell(backend, { untilMs: 0, believed: true }, scope);
  waiting.add(backend);
  tell(backend, { untilMs: nowMs + ROUND_MS, believed: false }, scope);
  tellSelf({ type: 'round.doubted' }, scope);
}

function conclude(world: SuspicionWorld, over: boolean): void {
  const { companion, scope } = world;
  const { round, trust } = companion;
  const conclusion = round && conclusionOf(round, over);
  if (round === undefined || conclusion === undefined) return;
  companion.round = undefined;
  tellSelf({ type: 'round.concluded' }, scope);
  if (conclusion === 'deaf' && trust === 'calm') {
    companion.byRound = true;
    return turn(true, world);
  }
  if (conclusion === 'hears' && trust !== 'calm') turn(false, world);
  // Its end is told to everybody, and what was held meanwhile is not to be believed.
  if (trust === 'suspecting') return;
  for (const name of round.waiting) tell(name, { untilMs: 0, believed: true }, scope);
}

function turn(suspect: boolean, { companion, scope }: SuspicionWorld): void {
  companion.trust = suspect ? 'suspecting' : 'calm';
  const { silent, backends } = companion;
  tellSelf({ type: 'hearing.counted', suspect, silent, total: backends.size }, scope);
}

function tellSelf(message: HearingCounted | RoundTurn, scope: SuspicionWorld['scope']): void {
  scope.tell(scope.self, message);
}

function tell(
  backend: BackendName,
  level: Omit<SuspicionLevel, 'type'>,
  scope: SuspicionWorld['scope'],
): void {
  const message: SuspicionLevel = { type: 'suspicion.level', ...level };
  scope.tell(addressOf('backend', backend), message);
}

function tellBackends({ trust, untilMs }: TrustParams, { companion, scope }: SuspicionWorld): void {
  companion.trust = trust;
  companion.holdUntilMs = untilMs;
  for (const name of companion.backends.keys()) tell(name, { untilMs, believed: false }, scope);
}

function askSome({ atMs, random }: RoundParams, world: SuspicionWorld): void {
  const { companion, scope } = world;
  const asked = beginRound(companion, atMs, random);
  const message: HearingAsked = { type: 'hearing.asked', round: companion.rounds };
  for (const name of asked) scope.tell(addressOf('backend', name), message);
  conclude(world, false);
}

export const suspicionActor: ActorType<unknown, Hearing> = {
  kind: 'suspicion',
  machine: suspicionMachine,
  version: 1,
  stored: false,
  implicit: true,
  effects: {
    takeHearing: observed(takeHearing),
    tellBackends: protective(tellBackends),
    askSome: protective(askSome),
    closeRound: protective((_: undefined, world: SuspicionWorld) => conclude(world, true)),
    lookAgain: protective((_: undefined, { companion, scope }: SuspicionWorld) => {
      const { waiting, trust, byRound } = companion;
      const goesOn = waiting.size > 0 || (trust === 'suspecting' && byRound);
      if (goesOn) tellSelf({ type: 'round.doubted' }, scope);
    }),
  },
  companion: newHearing,
  view: ({ context, value }) =>
    suspicionShape(
      context as unknown as SuspicionMemory,
      (value as { readonly trust: string }).trust === 'suspecting',
    ),
  coalesce: (message) => {
    const { backend } = message as { readonly backend?: string };
    return message.type === 'hearing.level' ? `hearing ${backend}` : undefined;
  },
};
