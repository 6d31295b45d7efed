/**
 * The agent actor: one beside each instance whose agent matters or speaks. Carries its verdict, notices and deaths
 * to the instance, and polls to the provider. Nothing of it is stored.
 */
import {
  type AgentMemory,
  agentMachine,
  type DeathParams,
  type NoticeParams,
  type PollParams,
  type VerdictParams,
} from '../machines/agent.js';
import { addressOf } from '../machines/model/ids.js';
import type { JsonObject } from '../machines/model/json.js';
import type { InstanceMessage, ProviderMessage } from '../machines/model/messages.js';
import { timestamp } from '../machines/model/time.js';
import { type ActorType, observed, protective } from '../src/runtime/actor-type.js';

export const agentActor: ActorType = {
  kind: 'agent',
  machine: agentMachine,
  version: 1,
  stored: false,
  implicit: true,
  effects: {
    tellVerdict: observed<VerdictParams>(({ id, verdict, known }, { scope }) => {
      const message: InstanceMessage = { type: 'agent.verdict', verdict, known };
      scope.tell(addressOf('instance', id), message);
    }),
    tellNotice: protective<NoticeParams>(({ id, notice }, { scope }) => {
      const message: InstanceMessage = { type: 'instance.notice', notice };
      scope.tell(addressOf('instance', id), message);
    }),
    tellDeath: protective<DeathParams>(({ id, providerId, detail }, { scope }) => {
      const message: InstanceMessage = { type: 'provider.exited', providerId, detail };
      scope.tell(addressOf('instance', id), message);
    }),
    pollProvider: observed<PollParams>(({ to, providerId }, { scope }) => {
      const message: ProviderMessage = { type: 'provider.poll', providerId };
      scope.tell(to, message);
    }),
  },
  isShown: ({ context }) => context['spec'] !== null,
  view: ({ context }) => viewOf(context as unknown as AgentMemory),
  // Only the order of reports matters, and they carry it: none is replaced by a newer one with a notice lost.
  coalesce: (message) => (message.type === 'agent.desired' ? message.type : undefined),
};

function viewOf({
  id,
  spec,
  verdict,
  boot,
  seq,
  heardAtMs,
  polls,
  problem,
}: AgentMemory): JsonObject {
  return {
    name: id,
    state: verdict.state,
    since: timestamp(verdict.sinceMs),
    detail: verdict.detail,
    ...(spec === null ? {} : { intervalMs: spec.intervalMs }),
    ...(seq < 0 ? {} : { boot, seq, lastReportAt: timestamp(heardAtMs) }),
    ...(polls === 0 ? {} : { polls }),
    ...(problem === null ? {} : { problem }),
  };
}
