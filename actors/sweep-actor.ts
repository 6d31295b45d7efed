/**
 * The sweep actor: one per provider of the config, beside it. Asks it for everything it has, and deletes
 * what has been nobody's for long enough, when that is wanted.
 */
import { addressOf } from '../machines/model/ids.js';
import type { ProviderMessage } from '../machines/model/messages.js';
import { type DeleteParams, sweepMachine } from '../machines/sweep.js';
import { type AnswersParams, type SweepMemory, sweepShape } from '../machines/sweep-messages.js';
import { type ActorType, observed, oncePerFleet, type World } from '../src/runtime/actor-type.js';

type AnyWorld = World<unknown, unknown>;

function tellProvider(provider: string, message: ProviderMessage, { scope }: AnyWorld): void {
  scope.tell(addressOf('provider', provider), message);
}

export const sweepActor: ActorType = {
  kind: 'sweep',
  machine: sweepMachine,
  version: 1,
  stored: false,
  implicit: true,
  seed: 'sweep.settings',
  effects: {
    askProvider: observed(({ provider }: { readonly provider: string }, world: AnyWorld) =>
      tellProvider(provider, { type: 'provider.sweep' }, world),
    ),
    deleteOrphans: oncePerFleet(({ provider, providerIds }: DeleteParams, world: AnyWorld) => {
      for (const providerId of providerIds) {
        tellProvider(provider, { type: 'provider.delete', providerId }, world);
      }
    }),
    answer: observed(({ askers, body }: AnswersParams, { scope }: AnyWorld) => {
      for (const asker of askers) scope.reply(asker, body);
    }),
  },
  view: ({ context }) => sweepShape(context as unknown as SweepMemory),
};
