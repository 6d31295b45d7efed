/**
 * The guard actor: one for the node, `guard/shrink`. Stored: what it let go within the window, and what
 * waits for an operator, survive a restart.
 */
import { type GrantParams, guardMachine } from '../machines/guard.js';
import type { GuardMemory } from '../machines/guard-memory.js';
import { type AnswerParams, guardShape } from '../machines/guard-messages.js';
import type { GuardGrant } from '../machines/model/guard.js';
import type { Message } from '../machines/model/messages.js';
import type { Clock } from '../src/ports/clock.js';
import { type ActorType, durable, observed, type World } from '../src/runtime/actor-type.js';

/** The window moves while nothing happens: its view needs the time. */
type GuardWorld = World<unknown, Clock>;

function answer({ replyTo, body }: AnswerParams, { scope }: GuardWorld): void {
  scope.reply(replyTo, body);
}

export const guardActor: ActorType<unknown, Clock> = {
  kind: 'guard',
  machine: guardMachine,
  version: 1,
  stored: true,
  implicit: true,
  effects: {
    grant: durable(({ wishes }: GrantParams, { scope }: GuardWorld) => {
      for (const { object, to, sinceMs, of } of wishes) {
        const one = of === undefined ? {} : { id: of.id };
        const message: GuardGrant = { type: 'guard.granted', to, sinceMs, ...one };
        scope.tell(of?.group ?? object, message);
      }
    }),
    agree: durable(answer),
    answer: observed(answer),
  },
  companion: ({ clock }) => clock,
  view: ({ context }, clock) => guardShape(context as unknown as GuardMemory, clock.now()),
  coalesce,
};

/** Levels: a newer one of the same group says everything an older one did. */
function coalesce(message: Message): string | undefined {
  return message.type === 'guard.settings' ? message.type : undefined;
}
