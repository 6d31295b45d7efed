/**
 * What the node's suspicion hears of its backends, and the rounds in which it asks some of them: bulk data
 * beside the machine.
 */
import type { BackendName } from '../machines/model/ids.js';
import type { SuspicionMessage } from '../machines/model/suspicion.js';
import { ASKED_MAX, clears, latelyIn, type Round, raises } from '../src/policy/suspicion.js';

export type Trust = 'calm' | 'suspecting' | 'convinced';

export interface Hearing {
  /** Backend → since when it is silent; `null`: it answers. */
  readonly backends: Map<BackendName, number | null>;
  silent: number;
  trust: Trust;
  /** Verdicts without proof are held until then; 0: they are not. */
  holdUntilMs: number;
  /** The doubt rests on rounds: by count too few are silent so far. */
  byRound: boolean;
  /** Wait for the next round. */
  readonly waiting: Set<BackendName>;
  round: Asking | undefined;
  rounds: number;
}

interface Asking extends Round {
  readonly number: number;
  /** Who has not spoken yet. */
  readonly open: Set<BackendName>;
  answered: number;
  silent: number;
  /** Are told what it comes to. */
  readonly waiting: ReadonlySet<BackendName>;
}

export function newHearing(): Hearing {
  const counts = { silent: 0, holdUntilMs: 0, rounds: 0 };
  const trust = { trust: 'calm', byRound: false, round: undefined } as const;
  return { backends: new Map(), waiting: new Set(), ...counts, ...trust };
}

/** Takes one level; says whether somebody who was silent answers. */
export function hear(hearing: Hearing, level: SuspicionMessage, nowMs: number): boolean {
  const { backends } = hearing;
  const { backend } = level;
  const before = backends.get(backend);
  if (level.hearing === 'gone') backends.delete(backend);
  else backends.set(backend, level.hearing === 'silent' ? (before ?? nowMs) : null);
  const after = backends.get(backend);
  hearing.silent += silence(after) - silence(before);
  if (level.hearing !== 'silent' || !level.doubts) hearing.waiting.delete(backend);
  return silence(before) === 1 && after === null;
}

function silence(since: number | null | undefined): 0 | 1 {
  return typeof since === 'number' ? 1 : 0;
}

/** By count, whether it doubts itself; looks at each only when so many are silent that it may matter. */
export function judge(hearing: Hearing, nowMs: number, recovered: boolean): boolean {
  const { backends, silent, trust, byRound } = hearing;
  const most = silent > backends.size / 2;
  if (trust === 'suspecting' && byRound && !most) return true;
  if (trust === 'convinced') return most || !recovered;
  if (!most) return false;
  const silentSinceMs = silentIn(hearing);
  const all = { total: backends.size, silentSinceMs };
  return trust === 'suspecting' ? !clears(all) : raises(all, nowMs);
}

function silentIn({ backends }: Hearing): readonly number[] {
  return [...backends.values()].filter((since) => since !== null);
}

/** Begins a round: who is to be asked. While it doubts itself the silent are asked too. */
export function beginRound(
  hearing: Hearing,
  nowMs: number,
  random: number,
): readonly BackendName[] {
  const { backends, waiting, trust } = hearing;
  const all = trust === 'suspecting';
  const candidates = [...backends].flatMap(([name, since]) => (all || since === null ? name : []));
  const asked = sampleOf(candidates, random);
  hearing.rounds += 1;
  hearing.round = {
    number: hearing.rounds,
    total: backends.size,
    answering: candidates.length,
    silentBefore: all ? 0 : latelyIn(silentIn(hearing), nowMs),
    asked: asked.length,
    open: new Set(asked),
    answered: 0,
    silent: 0,
    waiting: new Set(waiting),
  };
  waiting.clear();
  return asked;
}

/** Spread over all: neighbours share a rack, a group or a check, and may fail together. */
function sampleOf(names: readonly BackendName[], random: number): readonly BackendName[] {
  const size = Math.min(ASKED_MAX, names.length);
  const first = Math.floor(random * names.length);
  const at = (index: number) => (first + Math.floor((index * names.length) / size)) % names.length;
  return Array.from({ length: size }, (_, index) => names[at(index)]).filter(
    (name) => name !== undefined,
  );
}

/** Whether this is one more answer to the round that is open. */
export function noteAnswer({ round }: Hearing, level: SuspicionMessage): boolean {
  if (round?.number !== level.round || !round.open.delete(level.backend)) return false;
  if (level.hearing === 'silent') round.silent += 1;
  else round.answered += 1;
  return true;
}
