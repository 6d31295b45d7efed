/**
 * The tenant actor: carries a tenant's orders to its groups and frontends and its status to its resource.
 *
 * New orders and statuses wait for the commit; what is only said again leaves at once.
 */
import type { Message, ResourceMessage, TenantMessage } from '../machines/model/messages.js';
import { tenantMachine } from '../machines/tenant.js';
import type { TenantMemory } from '../machines/tenant-memory.js';
import {
  type AnswerParams,
  type LettersParams,
  type StatusParams,
  viewOf,
} from '../machines/tenant-messages.js';
import {
  type ActorType,
  durable,
  observed,
  oncePerFleet,
  type StoredState,
  type World,
} from '../src/runtime/actor-type.js';

type AnyWorld = World<unknown, unknown>;

function deliver({ letters }: LettersParams, { scope }: AnyWorld): void {
  for (const { to, message } of letters) scope.tell(to, message);
}

function tellResource({ to, status }: StatusParams, { scope }: AnyWorld): void {
  const message: ResourceMessage = { type: 'tenant.status', status };
  if (to !== null) scope.tell(to, message);
}

function answer({ replyTo, body }: AnswerParams, { scope }: AnyWorld): void {
  scope.reply(replyTo, body);
}

export const tenantActor: ActorType = {
  kind: 'tenant',
  machine: tenantMachine,
  version: 2,
  stored: true,
  implicit: true,
  effects: {
    order: durable(deliver),
    repeat: observed(deliver),
    tellStatus: oncePerFleet(tellResource),
    repeatStatus: observed(tellResource),
    agree: durable(answer),
    refuse: observed(answer),
  },
  isShown: ({ context }) => context['spec'] !== null || context['problem'] !== null,
  view: ({ context }) => viewOf(context as unknown as TenantMemory),
  coalesce,
  migrate,
};

/** Version 1 knew no groups that programs ordered, and no sleep. */
function migrate(stored: StoredState): StoredState {
  return { ...stored, context: { ...stored.context, ordered: {}, asleep: null } };
}

/** Levels: a newer one says everything an older one did. */
function coalesce(message: Message): string | undefined {
  const told = message as TenantMessage;
  switch (told.type) {
    case 'group.status':
      return `${told.type}:${told.status.group}`;
    case 'frontend.status':
      return `${told.type}:${told.status.frontend}`;
    default:
      return undefined;
  }
}
