/**
 * The announcement actor: runs the operator's program through its port and tells the frontend what came of
 * it. In the main thread, where processes are started.
 */
import {
  type AnnouncementMemory,
  announcementMachine,
  announcementShape,
  type CallParams,
  type TellParams,
} from '../machines/announcement.js';
import type { AnnouncementMessage, AnnounceStatus } from '../machines/model/announce.js';
import { addressOf, type FrontendName } from '../machines/model/ids.js';
import type { AnnounceHook } from '../src/ports/announce-hook.js';
import {
  type ActorType,
  durable,
  observed,
  protective,
  type World,
} from '../src/runtime/actor-type.js';

export interface AnnouncementPorts {
  readonly announceHook: AnnounceHook;
}

function callHook(
  { call, program, what }: CallParams,
  { scope, ports }: World<AnnouncementPorts, unknown>,
): void {
  scope.run(async () => {
    const outcome = await ports.announceHook.call(program, what);
    const failure = outcome.ok ? null : outcome.failure;
    const answer: AnnouncementMessage = { type: 'hook.finished', call, failure };
    return answer;
  });
}

export const announcementActor: ActorType<AnnouncementPorts> = {
  kind: 'announcement',
  machine: announcementMachine,
  version: 1,
  stored: true,
  implicit: true,
  effects: {
    callHook: protective(callHook),
    callOnceStored: durable(callHook),
    askFrontend: observed(({ frontend }: { readonly frontend: FrontendName }, { scope }) => {
      scope.tell(addressOf('frontend', frontend), { type: 'announce.asked' });
    }),
    tellFrontend: observed<TellParams, AnnouncementPorts>(({ frontend, announced }, { scope }) => {
      const message: AnnounceStatus = { type: 'announce.status', announced };
      scope.tell(addressOf('frontend', frontend), message);
    }),
  },
  isShown: ({ context }) => context['level'] !== null,
  view: ({ context }) => announcementShape(context as unknown as AnnouncementMemory),
  coalesce: (message) => (message.type === 'announce.level' ? message.type : undefined),
};
