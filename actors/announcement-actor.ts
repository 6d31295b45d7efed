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
import { addressOf } from '../machines/model/ids.js';
import type { AnnounceHook } from '../src/ports/announce-hook.js';
import { type ActorType, observed } from '../src/runtime/actor-type.js';

export interface AnnouncementPorts {
  readonly announceHook: AnnounceHook;
}

export const announcementActor: ActorType<AnnouncementPorts> = {
  kind: 'announcement',
  machine: announcementMachine,
  version: 1,
  stored: false,
  implicit: true,
  seed: 'announce.level',
  effects: {
    callHook: observed<CallParams, AnnouncementPorts>(({ call, program, what }, world) => {
      world.scope.run(async () => {
        const outcome = await world.ports.announceHook.call(program, what);
        const failure = outcome.ok ? null : outcome.failure;
        const answer: AnnouncementMessage = { type: 'hook.finished', call, failure };
        return answer;
      });
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
