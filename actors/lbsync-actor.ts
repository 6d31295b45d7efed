/**
 * The lbsync actor, `lbsync/main`: the only writer of the load balancer on this node. Its effects hand
 * messages to the companion and run the companion's outside work; nothing is decided here.
 *
 * Every effect is protective or observed: what creates or deletes a VIP follows a decision that its
 * frontend recorded before it spoke to us, and weights wait for nothing.
 */
import {
  type LbsyncEvent,
  type LbsyncMemory,
  lbsyncMachine,
  type OperatorSyncParams,
  type WorkParams,
} from '../machines/lbsync.js';
import type { Refusal } from '../machines/model/failures.js';
import type { FrontendName } from '../machines/model/ids.js';
import type { Json } from '../machines/model/json.js';
import { bookIn } from '../src/policy/overrides.js';
import { type ActorType, observed, protective, type World } from '../src/runtime/actor-type.js';
import { createLbsync, type Lbsync } from './lbsync-companion.js';
import {
  isDrained,
  orderOfDrain,
  orderOfFreeze,
  takeBook,
  tellNode,
  unreadableBook,
} from './lbsync-freeze.js';
import { type LbsyncPorts, markAll } from './lbsync-state.js';
import { viewOf } from './lbsync-view.js';

type LbsyncWorld = World<LbsyncPorts, Lbsync>;

function takeMessage(event: LbsyncEvent, { companion, scope }: LbsyncWorld): void {
  if (event.type === 'vip.desired') {
    companion.want(event.desired, scope, event.verdictAtMs);
    greet(event.desired.frontend, { companion, scope });
  } else if (event.type === 'vip.withdrawn') {
    companion.withdraw(event.frontend, { revision: event.revision, scope });
    companion.state.greeted.delete(event.frontend);
  } else if (event.type === 'vip.awaited') {
    companion.awaitFrontend(event.frontend, scope);
    greet(event.frontend, { companion, scope });
  } else if (event.type === 'lbsync.settings') companion.configure(event.settings);
  else if (event.type === 'override.level') takeBook(companion.state, event.overrides, scope);
  else if (event.type === 'activated') {
    takeBook(companion.state, bookIn(event.children) ?? unreadableBook(event.meta.at), scope);
  }
}

/**
 * A frontend that begins assumes that nobody drained the node; one that goes on may have been told by an
 * earlier life of ours, and not of what changed since.
 */
function greet(
  frontend: FrontendName,
  { companion: { state }, scope }: Pick<LbsyncWorld, 'companion' | 'scope'>,
): void {
  const isNew = !state.greeted.has(frontend);
  state.greeted.add(frontend);
  if (isNew || isDrained(state) !== false) tellNode(state, frontend, scope);
}

function connect(work: WorkParams, { companion, scope }: LbsyncWorld): void {
  scope.run(() => companion.lost(work));
  scope.run(() => companion.connect(work));
}

function syncForOperator(
  { frontend, replyTo }: OperatorSyncParams,
  { companion: { state }, scope }: LbsyncWorld,
): void {
  const refusal = refuse(state.wants.wanted, state.mirror !== undefined, frontend);
  if (refusal === undefined) markAll(state);
  const body: Json =
    refusal === undefined
      ? { ok: true, dirty: state.dirty.size }
      : { ok: false, refusal: { ...refusal } };
  scope.reply(replyTo, body);
}

function orderFreeze(event: LbsyncEvent, { companion: { state }, scope }: LbsyncWorld): void {
  const { replyTo } = event.meta;
  if (event.type === 'operator.drainNode' || event.type === 'operator.undrainNode') {
    const drain = orderOfDrain(event, replyTo);
    return scope.tell(drain.to, drain.message);
  }
  if (event.type !== 'operator.freeze' && event.type !== 'operator.thaw') return;
  const order = orderOfFreeze(state, event, replyTo);
  if ('to' in order) scope.tell(order.to, order.message);
  else scope.reply(replyTo, { ok: false, refusal: { ...order } });
}

function refuse(
  wanted: ReadonlyMap<string, unknown>,
  connected: boolean,
  frontend: string | undefined,
): Refusal | undefined {
  if (frontend !== undefined && !wanted.has(frontend)) {
    const message = `frontend ${frontend} has no VIP to sync`;
    return { code: 'not-found', rule: 'LB-48', message };
  }
  const message = 'the load balancer is not connected; it is read as soon as it is';
  return connected ? undefined : { code: 'refused', rule: 'LB-33', message };
}

export const lbsyncActor: ActorType<LbsyncPorts, Lbsync> = {
  kind: 'lbsync',
  machine: lbsyncMachine,
  version: 1,
  stored: false,
  implicit: true,
  seed: 'lbsync.settings',
  effects: {
    want: protective(takeMessage),
    withdraw: protective(takeMessage),
    await: protective(takeMessage),
    configure: observed(takeMessage),
    takeBook: observed(takeMessage),
    orderFreeze: observed(orderFreeze),
    operatorSync: observed(syncForOperator),
    connect: observed(connect),
    read: observed((work: WorkParams, { companion, scope }: LbsyncWorld) =>
      scope.run(() => companion.read(work, scope)),
    ),
    apply: protective((work: WorkParams, { companion, scope }: LbsyncWorld) =>
      scope.run(() => companion.apply(work)),
    ),
    ping: observed((work: WorkParams, { companion, scope }: LbsyncWorld) =>
      scope.run(() => companion.ping(work)),
    ),
    publish: protective((_: unknown, { companion, scope }: LbsyncWorld) =>
      companion.publish(scope),
    ),
  },
  companion: (scope, ports) => createLbsync(ports, scope),
  /** The connection belongs to whoever opened the port; here only the writing ends. */
  dispose: (companion) => companion.stop(),
  view: (cell, companion) => viewOf(cell.context as unknown as LbsyncMemory, companion.state),
  /** A frontend's latest word is the only one that counts. */
  coalesce: (message) => {
    const word = message as LbsyncEvent;
    if (word.type === 'vip.desired') return `vip ${word.desired.frontend}`;
    if (word.type === 'vip.withdrawn' || word.type === 'vip.awaited') return `vip ${word.frontend}`;
    return undefined;
  },
};
