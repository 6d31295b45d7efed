/**
 * The outbox actor, `outbox/main`, alone on its thread: the only one that writes to the sink. Nothing of
 * it is stored, everything it needs is: rows carry their own state, and a pass that was cut short is
 * repeated with the same ids.
 */

import type { JsonObject } from '../machines/model/json.js';
import { type OutboxMemory, outboxMachine, type RunPassParams } from '../machines/outbox.js';
import { type ActorType, type CellView, observed } from '../src/runtime/actor-type.js';
import { type Backlog, emptyBacklog, type OutboxPorts, runPass } from './outbox-pass.js';

export const outboxActor: ActorType<OutboxPorts, Backlog> = {
  kind: 'outbox',
  machine: outboxMachine,
  version: 1,
  stored: false,
  implicit: true,
  seed: 'outbox.settings',
  effects: {
    runPass: observed<RunPassParams, OutboxPorts, Backlog>(({ settings }, world) => {
      const { scope, ports, companion } = world;
      scope.run(async () => {
        const pass = runPass(ports, companion, { settings, clock: scope.clock });
        companion.running = pass.catch(() => undefined);
        return { type: 'pass.finished', report: await pass };
      });
    }),
  },
  companion: emptyBacklog,
  // What was sent is written back before the thread goes: no needless repeat after a clean stop.
  dispose: async ({ running }) => {
    await running;
  },
  view: viewOf,
  coalesce: ({ type }) =>
    type === 'outbox.appended' || type === 'outbox.settings' ? type : undefined,
};

function viewOf({ value, context }: CellView): JsonObject {
  const { pending, lastSeq, lastError } = context as unknown as OutboxMemory;
  return {
    state: value,
    lastSeq,
    ...(pending === null ? {} : { pending }),
    ...(lastError === null ? {} : { lastError }),
  };
}
