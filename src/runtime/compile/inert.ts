/** What machines are given in place of the actor XState runs them in: it is there, and does nothing. */
import { Defect } from '../../../machines/model/assert.js';

const nothing = (): undefined => undefined;

export const inertSelf = {
  id: 'cell',
  sessionId: 'cell',
  getSnapshot: nothing,
  send: nothing,
};

export const inertSystem = { _sendInspectionEvent: nothing, get: nothing, getAll: () => ({}) };

export function noSpawn(): never {
  throw new Defect('machines may not spawn: name an effect instead');
}

/** Events XState tells an actor about itself: they end or fail it. */
export function isReserved(type: string): boolean {
  return ['xstate.init', 'xstate.stop'].includes(type) || type.startsWith('xstate.error.');
}

/** @throws {Defect} */
export function refuseReserved(type: string): void {
  if (!type.startsWith('xstate.') || !isReserved(type)) return;
  throw new Defect(`nobody may send ${type}: XState keeps it to itself`);
}
