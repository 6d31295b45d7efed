/**
 * The outbox actor, `outbox/main`, alone on its thread: the only one that writes to the sink. Nothing of
 * it is stored, everything it needs is: rows carry their own state, and a pass that was cut short is
 * repeated with the same ids.
 */

import { addressOf } from '../machines/model/ids.js';
import type { JsonObject } from '../machines/model/json.js';
import type { LeaseMessage } from '../machines/model/lease.js';
import {
  type AmendParams,
  type OutboxMemory,
  outboxMachine,
  type PassReport,
  type RunPassParams,
} from '../machines/outbox.js';
import { type ActorType, type CellView, observed, type World } from '../src/runtime/actor-type.js';
import { type Backlog, emptyBacklog, type OutboxPorts } from './outbox-backlog.js';
import { outboxConditions } from './outbox-conditions.js';
import { runPass } from './outbox-pass.js';

type OutboxWorld = World<OutboxPorts, Backlog>;

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
      companion.settings = settings;
      scope.run(async () => {
        const pass = runPass(ports, companion, { settings, clock: scope.clock });
        companion.running = pass.catch(() => undefined);
        const report = await pass;
        await tellFleet(world, report);
        return { type: 'pass.finished', report };
      });
    }),
    amend: observed<AmendParams, OutboxPorts, Backlog>(amend),
  },
  companion: (_scope, ports) => {
    const backlog = emptyBacklog();
    ports.onBacklog?.(backlog);
    return backlog;
  },
  // What was sent is written back before the thread goes: no needless repeat after a clean stop.
  dispose: async (backlog) => {
    await backlog.running;
    await backlog.writing?.written.catch(() => undefined);
  },
  view: viewOf,
  coalesce: ({ type }) =>
    type === 'outbox.appended' || type === 'outbox.settings' ? type : undefined,
};

function amend(
  { amendment, replyTo }: AmendParams,
  { scope, ports, companion }: OutboxWorld,
): void {
  scope.run(async () => {
    const done = await ports.store.outboxAmend(amendment);
    const rows = done.ok ? done.value.rows : 0;
    companion.rescan = true;
    if (amendment.verb === 'republish' && rows > 0) companion.lost = undefined;
    scope.reply(replyTo, answerOf(amendment, done));
    return { type: 'rows.amended', amendment, rows };
  });
}

function answerOf(
  amendment: AmendParams['amendment'],
  done: Awaited<ReturnType<OutboxPorts['store']['outboxAmend']>>,
): JsonObject {
  const refusal = (code: string, message: string): JsonObject => ({
    ok: false,
    refusal: { code, rule: 'OB-12', message },
  });
  if (!done.ok) return refusal('refused', done.failure.message);
  const { rows, eventId } = done.value;
  if (rows === 0 && amendment.verb !== 'republish') return refusal('not-found', NOT_DEAD);
  return { ok: true, ...amendment, rows, ...(eventId === undefined ? {} : { eventId }) };
}

const NOT_DEAD = "there is no such dead row: see 'switchyard outbox list --dead'";

/** Where nodes share a fleet, effects wait for this: how far the feed has everything. */
async function tellFleet({ scope, ports }: OutboxWorld, { buried }: PassReport): Promise<void> {
  if (ports.fleetStore === undefined) return;
  // Read first: what is appended after that is not spoken of.
  const newest = await ports.fleetStore.outboxList({ limit: 1 });
  const waiting = await ports.store.outboxPending(0, 1);
  if (!newest.ok || !waiting.ok) return;
  const first = waiting.value[0]?.seq ?? Number.POSITIVE_INFINITY;
  const upTo = Math.min(newest.value[0]?.seq ?? 0, first - 1);
  const lost = buried.map(({ seq }) => seq);
  const told: LeaseMessage = { type: 'feed.acknowledged', upTo, lost };
  scope.tell(addressOf('lease', 'main'), told);
}

function viewOf({ value, context }: CellView): JsonObject {
  const memory = context as unknown as OutboxMemory;
  const { pending, lastSeq, lastError } = memory;
  return {
    conditions: outboxConditions(memory),
    state: value,
    lastSeq,
    ...(pending === null ? {} : { pending }),
    ...(lastError === null ? {} : { lastError }),
  };
}
