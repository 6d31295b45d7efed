/**
 * Why a group does nothing, or not more: what each gate between wish and deed says now.
 *
 * Input: its memory and the time. Output: one line for each gate, and what the next step would be.
 */
import { isUnhealthy } from '../src/policy/breaker.js';
import { budgetOf } from '../src/policy/budget.js';
import { isOpenAt, nextOpening } from '../src/policy/cron.js';
import { type Books, countedOf, stayingOf } from '../src/policy/members.js';
import { candidatesOf } from '../src/policy/replace.js';
import { nextStep } from '../src/policy/scale.js';
import { type Gate, gate } from './gate.js';
import { booksOf, type GroupMemory } from './group-memory.js';
import { departuresOf } from './group-shrink.js';
import type { Meta } from './model/effects.js';
import type { JsonObject } from './model/json.js';
import { timestamp } from './model/time.js';

export function groupGates(memory: GroupMemory, { at }: Pick<Meta, 'at'>): JsonObject {
  const { spec } = memory;
  // Removed before it was ever told what to be: it only waits for whoever is left.
  if (spec === null) return { wanted: 0, counted: 0, replace: [], gates: [sleepGate(memory)] };
  const books = booksOf(memory, { at });
  const step = nextStep(books);
  const wants = candidatesOf(books).map(({ member, cause }) => ({ instance: member.id, cause }));
  return {
    wanted: books.wanted,
    counted: countedOf(books.members).length,
    ...(step === undefined ? {} : { nextStep: `${step.kind} [${step.rule}]` }),
    replace: wants,
    provider: spec.template.provider,
    gates: [
      sleepGate(memory),
      shrinkGate(memory),
      createGate(memory, at),
      roomGate(books),
      budgetGate(books),
      windowGate(books),
      breakerGate(books),
    ],
  };
}

function sleepGate({ spec, leaving }: GroupMemory): Gate & JsonObject {
  if (leaving !== null) return gate('removal', true, 'the group is being removed: it wants nobody');
  const asleep = spec?.asleep === true;
  return gate('sleep', asleep, asleep ? 'its tenant sleeps: it wants nobody' : 'awake');
}

function shrinkGate(memory: GroupMemory): Gate & JsonObject {
  const { wish } = memory.shrink;
  const single = departuresOf(memory).length;
  if (wish === null && single > 0) {
    return gate('shrink', true, `the shrink guard is to let ${single} on demand go`);
  }
  if (wish === null) return gate('shrink', false, 'no removal waits for the shrink guard');
  const { count, to, sinceMs, reason } = wish;
  const asked = `asked at ${timestamp(sinceMs)}, and not let go yet`;
  const says = `the shrink guard is to let ${count} go, down to ${to} (${reason}): ${asked}`;
  return gate('shrink', true, says);
}

function createGate({ trouble }: GroupMemory, at: number): Gate & JsonObject {
  if (trouble === null) return gate('creates', false, 'no create has failed of late');
  const { failures, retryAtMs, message } = trouble;
  const when = retryAtMs > at ? `the next is tried at ${timestamp(retryAtMs)}` : 'one is on trial';
  return gate('creates', true, `${failures} in a row never served (${message}): ${when}`);
}

function roomGate({ members, maxSize, wanted }: Books): Gate & JsonObject {
  const staying = stayingOf(members).length;
  const full = staying >= maxSize && wanted > 0;
  return gate('room', full, `${staying} members, maxSize ${maxSize}`);
}

function budgetGate(books: Books): Gate & JsonObject {
  const { max, used } = budgetOf(books);
  return gate('budget', used >= max, `${used} of ${max} used by what is out or on its way`);
}

function windowGate({ rules, at }: Books): Gate & JsonObject {
  const { windows } = rules.budget;
  if (windows === 'always') return gate('window', false, 'none is configured');
  if (isOpenAt(windows, at)) return gate('window', false, 'one is open');
  const opens = nextOpening(windows, at);
  const when =
    opens === undefined ? 'no opening is in sight' : `the next opens ${timestamp(opens)}`;
  return gate('window', true, `none is open: ${when}`);
}

function breakerGate({ breaker, members }: Books): Gate & JsonObject {
  const unhealthy = members.filter(isUnhealthy).length;
  return gate('breaker', breaker !== 'closed', `${breaker}; ${unhealthy} members are unhealthy`);
}
