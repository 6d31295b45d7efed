/**
 * The frontend actor: tells lbsync the VIP it wants, and its neighbours what came of it.
 *
 * Weights leave at once. A change of spec goes through the store first: `confirm` leaves after the
 * commit and comes back as `frontend.decided`, and only then does the machine send it on; so no older
 * decision, late from the store, can overtake a newer verdict.
 */
import { frontendMachine } from '../machines/frontend.js';
import type { FrontendMemory } from '../machines/frontend-memory.js';
import type {
  AckParams,
  AskParams,
  PoolCall,
  StatusParams,
} from '../machines/frontend-messages.js';
import type { AnswerParams } from '../machines/frontend-orders.js';
import type { OutlookParams, WithdrawParams } from '../machines/frontend-setup.js';
import { conditionsOf, digestOf, shapeOf } from '../machines/frontend-shape.js';
import type { AnnounceLevel, AnnouncementMessage } from '../machines/model/announce.js';
import { type Address, addressOf, type FrontendName, keyOf } from '../machines/model/ids.js';
import type { Json, JsonObject } from '../machines/model/json.js';
import type { Wished } from '../machines/model/lbsync-messages.js';
import type {
  FrontendMessage,
  InstanceMessage,
  LbsyncMessage,
  Message,
  PoolMessage,
  TenantMessage,
} from '../machines/model/messages.js';
import {
  type ActorType,
  durable,
  observed,
  protective,
  type Scope,
  type StoredState,
  type World,
} from '../src/runtime/actor-type.js';
import { ordersOverride } from './override-orders.js';

const LBSYNC = addressOf('lbsync', 'main');

type Any = World<unknown, unknown>;

function toLbsync(scope: Scope, message: LbsyncMessage): void {
  scope.tell(LBSYNC, message);
}

function toPool(scope: Scope, pool: string, message: PoolMessage): void {
  scope.tell(addressOf('pool', pool), message);
}

function withdraw(params: WithdrawParams, { scope }: Any): void {
  toLbsync(scope, { type: 'vip.withdrawn', ...params });
}

function ask({ frontend, to }: AskParams, { scope }: Any): void {
  for (const address of to) tellAll(scope, address, { type: 'publish.request', frontend });
}

function acknowledge(acks: readonly AckParams[], { scope }: Any): void {
  for (const { to, ack } of acks) {
    const message: InstanceMessage = { type: 'member.acknowledged', ack };
    scope.tell(to, message);
  }
}

function answer({ replyTo, body }: AnswerParams, { scope }: Any): void {
  scope.reply(replyTo, body);
}

function tellStatus({ to, status }: StatusParams, { scope }: Any): void {
  const message: TenantMessage = { type: 'frontend.status', status };
  if (to !== null) scope.tell(to, message);
}

/** Groups want to know which frontend asks; backends do not mind being told. */
function tellAll(
  scope: Scope,
  to: Address,
  message: Message & { readonly frontend: FrontendName },
): void {
  scope.tell(to, message);
}

export const frontendActor: ActorType = {
  kind: 'frontend',
  machine: frontendMachine,
  version: 2,
  stored: true,
  implicit: true,
  effects: {
    sendDesired: protective((wished: Wished, { scope }) => {
      toLbsync(scope, { type: 'vip.desired', ...wished });
    }),
    awaitVip: observed(({ frontend }: { readonly frontend: FrontendName }, { scope }) => {
      toLbsync(scope, { type: 'vip.awaited', frontend });
    }),
    withdraw: durable(withdraw),
    withdrawAgain: observed(withdraw),
    confirm: durable(({ revision }: { readonly revision: number }, { scope }) => {
      const message: FrontendMessage = { type: 'frontend.decided', revision };
      scope.tell(scope.self, message);
    }),
    allocate: observed(({ pool, frontend }: PoolCall, { scope }) => {
      toPool(scope, pool, { type: 'pool.allocate', frontend });
    }),
    release: observed(({ pool, frontend }: PoolCall, { scope }) => {
      toPool(scope, pool, { type: 'pool.release', frontend });
    }),
    ask: observed(ask),
    tellAnnouncement: protective((level: AnnounceLevel | null, { scope }) => {
      if (level === null) return;
      const message: AnnouncementMessage = { type: 'announce.level', level };
      scope.tell(addressOf('announcement', level.frontend), message);
    }),
    answerAnnouncement: observed((message: AnnouncementMessage | null, { scope }) => {
      if (message !== null) scope.tell(addressOf('announcement', keyOf(scope.self)), message);
    }),
    orderOverride: ordersOverride(),
    answer: observed(answer),
    acknowledge: observed(acknowledge),
    tellStatus: observed(tellStatus),
    answerOutlook: observed(({ replyTo, body }: OutlookParams, { scope }) => {
      scope.reply(replyTo, body as unknown as Json);
    }),
  },
  migrate,
  isShown: ({ context }) => context['spec'] !== null,
  view: (cell) => {
    const memory = cell.context as unknown as FrontendMemory;
    const shape = shapeOf(memory);
    const vip = { ...(shape['vip'] as JsonObject), tableDigest: digestOf(memory) };
    return { ...shape, vip, conditions: conditionsOf(memory) };
  },
};

/** Version 1 did not record what VPP has. */
function migrate({ value, context, timers }: StoredState): StoredState {
  return { value, timers, context: { toldSync: null, ...context } };
}
