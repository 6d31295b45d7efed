/**
 * Phrases of a group's chart about instances on demand: what is recorded, told and answered when one is asked
 * for, or is to go.
 */

import { as, deleteTurnOf, type GroupArgs } from './group-events.js';
import { refused } from './group-messages.js';
import { createdAnswer, createRefusal, deletedAnswer, onDemandTurn } from './group-on-demand.js';
import { journals, recordOf, recordsOf, spawnsOf } from './group-setup.js';

const created = ({ context, event }: GroupArgs) =>
  createdAnswer(context, as(event, 'operator.createInstance'), event.meta);
const deleted = ({ context, event }: GroupArgs) =>
  deletedAnswer(context, as(event, 'operator.deleteInstance'), event.meta);
const onDemandTurnOf = ({ context, event }: GroupArgs) =>
  onDemandTurn(context, as(event, 'operator.createInstance'), event.meta);
export const createsOnDemand = [
  recordsOf(onDemandTurnOf),
  spawnsOf(onDemandTurnOf),
  { type: 'agree', params: created },
  'noteOnDemand',
] as const;
export const answersCreated = { type: 'answer', params: created } as const;
export const refusesOnDemand = {
  type: 'answer',
  params: ({ context, event }: GroupArgs) => {
    const message = createRefusal(context, as(event, 'operator.createInstance')) ?? '';
    return refused({ code: 'refused', rule: 'GR-27', message }, event.meta);
  },
} as const;

export const deletesOnDemand = [
  recordOf(deleteTurnOf),
  { type: 'drainMembers', params: (args: GroupArgs) => deleteTurnOf(args).drain },
  { type: 'agree', params: deleted },
  'noteDeletion',
] as const;
/** The guard is asked; whoever asked hears that it is on its way. */
export const asksToDelete = [
  'noteDeparture',
  journals('group.departure_wished', 'SG-11'),
  { type: 'agree', params: deleted },
] as const;
export const lets = [
  recordOf(deleteTurnOf),
  { type: 'drainMembers', params: (args: GroupArgs) => deleteTurnOf(args).drain },
  'noteDeletion',
] as const;
export const answersDeleted = { type: 'answer', params: deleted } as const;
