/**
 * The instance actor: carries an instance's words to its provider, backend, frontends and group.
 *
 * Creating, deleting and every change of level by decision wait for the commit; a death does not;
 * what is only said again never needs to.
 */
import { instanceMachine } from '../machines/instance.js';
import type { InstanceMemory } from '../machines/instance-memory.js';
import {
  type AgentEndParams,
  type AgentParams,
  type AnswerParams,
  type BackendParams,
  type LevelParams,
  type ProviderParams,
  type ReportParams,
  viewOf,
} from '../machines/instance-messages.js';
import type { AgentMessage } from '../machines/model/agent.js';
import { addressOf } from '../machines/model/ids.js';
import type {
  BackendMessage,
  FrontendMessage,
  GroupMessage,
  Message,
} from '../machines/model/messages.js';
import {
  type ActorType,
  durable,
  observed,
  oncePerFleet,
  protective,
  type StoredState,
  type World,
} from '../src/runtime/actor-type.js';

type AnyWorld = World<unknown, unknown>;

function tellBackend(params: BackendParams | undefined, { scope }: AnyWorld): void {
  if (params === undefined) return;
  const message: BackendMessage = {
    type: 'backend.desired',
    spec: params.spec,
    owner: scope.self,
  };
  scope.tell(addressOf('backend', params.spec.name), message);
}

function tellFrontends({ frontends, former, level }: LevelParams, { scope }: AnyWorld): void {
  const tell = (names: LevelParams['frontends'], message: FrontendMessage): void => {
    for (const name of names) scope.tell(addressOf('frontend', name), message);
  };
  tell(frontends, { type: 'member.level', level });
  tell(former, { type: 'member.level', level: { ...level, phase: 'out' } });
}

function tellProvider({ to, message }: ProviderParams, { scope }: AnyWorld): void {
  scope.tell(to, message);
}

function answer({ replyTo, body }: AnswerParams, { scope }: AnyWorld): void {
  scope.reply(replyTo, body);
}

export const instanceActor: ActorType = {
  kind: 'instance',
  machine: instanceMachine,
  version: 3,
  stored: true,
  implicit: false,
  // It asks its provider as soon as the wish for it is stored: that it is about to is no news.
  actsAtBirth: true,
  effects: {
    createAtProvider: oncePerFleet<ProviderParams>(tellProvider),
    deleteAtProvider: oncePerFleet<ProviderParams>(tellProvider),
    findAtProvider: observed<ProviderParams>(tellProvider),
    watchAtProvider: observed<ProviderParams>(tellProvider),
    publishBackend: durable<BackendParams | undefined>(tellBackend),
    republishBackend: observed<BackendParams | undefined>(tellBackend),
    publishAgent: observed<AgentParams | undefined>((params, { scope }) => {
      if (params === undefined) return;
      const message: AgentMessage = { type: 'agent.desired', spec: params.spec };
      scope.tell(addressOf('agent', params.spec.instance), message);
    }),
    removeAgent: durable<AgentEndParams>(({ id, heard }, { scope }) => {
      const message: AgentMessage = { type: 'agent.removed' };
      if (heard) scope.tell(addressOf('agent', id), message);
    }),
    tellBackendDied: protective<{ readonly id: string }>(({ id }, { scope }) => {
      const message: BackendMessage = {
        type: 'backend.died',
        code: 'EXITED',
        detail: 'the provider says it is dead',
      };
      scope.tell(addressOf('backend', id), message);
    }),
    removeBackend: durable<{ readonly id: string }>(({ id }, { scope }) => {
      const message: BackendMessage = { type: 'backend.removed' };
      scope.tell(addressOf('backend', id), message);
    }),
    publishLevel: durable<LevelParams>(tellFrontends),
    republishLevel: observed<LevelParams>(tellFrontends),
    publishDeath: protective<LevelParams>(tellFrontends),
    reportToGroup: observed<ReportParams>(({ to, summary }, { scope }) => {
      const message: GroupMessage = { type: 'instance.changed', summary };
      scope.tell(to, message);
    }),
    reportForgotten: observed<ReportParams>(({ to, summary }, { scope }) => {
      const message: GroupMessage = { type: 'instance.forgotten', id: summary.id };
      scope.tell(to, message);
    }),
    agree: durable<AnswerParams>(answer),
    answer: observed<AnswerParams>(answer),
  },
  view: ({ context }) => viewOf(context as unknown as InstanceMemory),
  migrate,
  coalesce,
};

/**
 * Version 1 told its group less of itself (`told`): the next report says the rest. Before version 3 nobody
 * had a key, an agent or a quarantine.
 */
function migrate({ value, context, timers }: StoredState): StoredState {
  const added = { key: null, agent: null, quarantine: null };
  return { value, timers, context: { ...added, ...context } };
}

/** Levels: a newer one says everything an older one did. */
function coalesce(message: Message): string | undefined {
  switch (message.type) {
    case 'instance.desired':
    case 'publish.request':
    case 'backend.verdict':
    case 'agent.verdict':
      return message.type;
    default:
      return undefined;
  }
}
