/**
 * Instances on demand, as a group makes and removes them: what is recorded, who is told, what the asker
 * hears, and the memory afterwards.
 *
 * Input: the memory and the asker's event. Output: a turn, as in group-steps.ts, and the answer. Who may
 * have one is decided in src/policy/on-demand.ts.
 */
import type { Member } from '../src/policy/members.js';
import { deleteStatusOf, isKey, isThere, named, ofKey } from '../src/policy/on-demand.js';
import { type GroupMemory, membersOf, onDemandOf, specOf } from './group-memory.js';
import type { AnswerParams } from './group-messages.js';
import { departuresOf } from './group-shrink.js';
import {
  type CreateTurn,
  createTurn,
  type DrainTurn,
  drainTurn,
  STEPS_PER_EVENT_MAX,
} from './group-steps.js';
import { assert } from './model/assert.js';
import type { Meta } from './model/effects.js';
import type { Departure } from './model/guard.js';
import type { InstanceId } from './model/ids.js';
import type { GroupMessage } from './model/messages.js';

type Ask<T extends GroupMessage['type']> = Extract<GroupMessage, { readonly type: T }>;
export type CreateAsk = Ask<'operator.createInstance'>;
export type DeleteAsk = Ask<'operator.deleteInstance'>;

export function onDemandTurn(
  memory: GroupMemory,
  { key, reason }: CreateAsk,
  meta: Meta,
): CreateTurn {
  const step = { kind: 'create', rule: 'GR-26', numbers: { key, reason } } as const;
  return createTurn(memory, step, { meta, index: STEPS_PER_EVENT_MAX, count: 1, onDemand: key });
}

export function isKnownKey(memory: GroupMemory, { key }: CreateAsk): boolean {
  return ofKey(membersOf(memory), key) !== undefined;
}

/** Undefined: it may be made. */
export function createRefusal(memory: GroupMemory, { key }: CreateAsk): string | undefined {
  if (!isKey(key)) return 'the key must be 1 to 128 printable characters without spaces';
  const { maxSize } = specOf(memory);
  const there = onDemandOf(memory).filter(isThere).length;
  if (there < maxSize) return undefined;
  return `${there} instances on demand are there, and maxSize ${maxSize} is the limit of these too`;
}

export function createdAnswer(memory: GroupMemory, ask: CreateAsk, meta: Meta): AnswerParams {
  const known = ofKey(membersOf(memory), ask.key);
  const created = known === undefined;
  const instance = known?.id ?? instanceOf(onDemandTurn(memory, ask, meta));
  const state = known?.state ?? 'requested';
  return { replyTo: meta.replyTo, body: { ok: true, instance, key: ask.key, state, created } };
}

function instanceOf({ after, spawns }: CreateTurn): InstanceId {
  const made = membersOf(after).find(({ id }) => spawns[0]?.address.endsWith(id));
  assert(made !== undefined, 'a create adds its member');
  return made.id;
}

/** Managed ones are the group's own business. */
export function isManaged(memory: GroupMemory, { instance }: DeleteAsk): boolean {
  const member = named(membersOf(memory), instance);
  return member !== undefined && member.onDemand === undefined;
}

/** It is there, and was not told yet, or must now be told that even the last one may go. */
export function mustBeTold(memory: GroupMemory, { instance, force }: DeleteAsk): boolean {
  const member = named(membersOf(memory), instance);
  return member !== undefined && isThere(member) && (force || member.leaving === undefined);
}

/** Told before: by force it is told again, at once. */
export function isLeavingAlready(memory: GroupMemory, { instance }: DeleteAsk): boolean {
  return named(membersOf(memory), instance)?.leaving !== undefined;
}

/** The guard is asked already, and by force no less. */
export function isAwaited(memory: GroupMemory, { instance, force }: DeleteAsk): boolean {
  const id = named(membersOf(memory), instance)?.id;
  return departuresOf(memory).some((one) => one.id === id && (one.force || !force));
}

export function departureFor(memory: GroupMemory, ask: DeleteAsk, { at }: Meta): Departure {
  const { id } = askedFor(memory, ask);
  return { id, sinceMs: at, reason: ask.reason, force: ask.force };
}

type DeleteOrder = Pick<DeleteAsk, 'instance' | 'reason' | 'force'>;

export function deleteTurn(memory: GroupMemory, ask: DeleteOrder): DrainTurn {
  const { id } = askedFor(memory, ask);
  const numbers = { asked: ask.reason };
  const step = { kind: 'drain', rule: 'GR-27', id, reason: 'operator', numbers } as const;
  const turn = drainTurn(memory, step);
  return ask.force ? { ...turn, drain: { ...turn.drain, lastMayGo: true } } : turn;
}

function askedFor(memory: GroupMemory, { instance }: DeleteOrder): Member {
  const member = named(membersOf(memory), instance);
  assert(member !== undefined, `${instance} is nobody here`);
  return member;
}

export function deletedAnswer(memory: GroupMemory, ask: DeleteAsk, meta: Meta): AnswerParams {
  const member = named(membersOf(memory), ask.instance);
  const status = deleteStatusOf(member);
  return {
    replyTo: meta.replyTo,
    body: { ok: true, instance: member?.id ?? ask.instance, status },
  };
}
