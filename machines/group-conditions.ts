/**
 * What holds a group's replacements, as operators are told of it.
 *
 * Input: its memory. Output: conditions, each as long as its reason.
 */

import { isUnhealthy } from '../src/policy/breaker.js';
import { budgetOf } from '../src/policy/budget.js';
import type { Member } from '../src/policy/members.js';
import {
  type GroupMemory,
  managedOf,
  membersOf,
  rulesOf,
  specOf,
  wantedOf,
} from './group-memory.js';
import type { JsonObject } from './model/json.js';
import { timestamp } from './model/time.js';

export function breakerConditions(memory: GroupMemory): JsonObject[] {
  const { key, breaker } = memory;
  if (breaker === null) return [];
  const isOpen = breaker.state === 'open';
  const unhealthy = managedOf(memory).filter(isUnhealthy).length;
  const condition = {
    type: isOpen ? 'breaker-open' : 'breaker-half-open',
    object: `group/${key}`,
    severity: isOpen ? 'critical' : 'warning',
    since: timestamp(breaker.sinceMs),
    cause: breaker.cause,
    message: `${unhealthy} of ${wantedOf(memory)} turned unhealthy together, none of them known to be dead`,
    next: isOpen
      ? 'none of them is drained: look at what they share (network, health check, a release); "drain INSTANCE" still works'
      : 'they are replaced one at a time; closes when none is unhealthy',
  };
  return [condition];
}

export function waitConditions(memory: GroupMemory): JsonObject[] {
  const { waiting } = memory;
  if (waiting === null) return [];
  const condition = {
    type: waiting.why === 'room' ? 'replace-held' : 'replace-waiting',
    object: waiting.why === 'room' ? `instance/${waiting.id}` : `group/${memory.key}`,
    severity: waiting.why === 'room' ? 'warning' : 'info',
    since: timestamp(waiting.sinceMs),
    cause: waiting.cause,
    ...wordsFor(memory, waiting.why),
  };
  return [condition];
}

function wordsFor(memory: GroupMemory, why: 'room' | 'budget' | 'window') {
  switch (why) {
    case 'room':
      return {
        message: `no room beside maxSize ${specOf(memory).maxSize} for its successor`,
        next: 'raise maxSize, or lower the size',
      };
    case 'budget': {
      const rules = rulesOf(memory);
      const members = managedOf(memory);
      const { max, used } = budgetOf({ rules, wanted: wantedOf(memory), members });
      return {
        message: `members wait to be replaced: ${used} of a budget of ${max} is used`,
        next: 'the next one follows when one of those is back in service or gone; or raise budget.max',
      };
    }
    case 'window':
      return {
        message: 'members wait to be replaced: no window of budget.windows is open',
        next: 'they are replaced in the next window; "replace INSTANCE" waits for no window',
      };
  }
}

/** What is odd about its members, without the details that each of them shows. */
export function memberConditions(memory: GroupMemory): JsonObject[] {
  const { key } = memory;
  const members = membersOf(memory);
  const kept = members.filter(({ state }) => state === 'quarantined');
  const missed = members.filter(({ agentMissed }) => agentMissed === true);
  const about = (type: string, severity: string, odd: readonly Member[], words: object) => ({
    type,
    object: `group/${key}`,
    severity,
    since: timestamp(Math.min(...odd.map(({ sinceMs }) => sinceMs))),
    cause: 'GR-10',
    ...words,
  });
  return [
    ...(kept.length === 0
      ? []
      : [
          about('instances-quarantined', 'info', kept, {
            message: `kept out of rotation: ${namesOf(kept)}`,
            next: '"quarantine INSTANCE --release" brings one back, "drain INSTANCE" ends it',
          }),
        ]),
    ...(missed.length === 0
      ? []
      : [
          about('agents-silent', 'warning', missed, {
            message: `agents stay silent while probes pass: ${namesOf(missed)}`,
            next: 'they go on serving; look at the agents, or replace the instances',
          }),
        ]),
  ];
}

const NAMES_MAX = 3;

function namesOf(members: readonly Member[]): string {
  const names = members.slice(0, NAMES_MAX).map(({ id }) => id);
  const more = members.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}
