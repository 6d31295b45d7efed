/**
 * Orders of operators to a backend, as words to the book of its overrides: pause and resume, disable and
 * enable. What they lead to is decided when the book says it back.
 *
 * Rule: [HE-16] what restores the configured state ends an override, what departs from it orders one.
 */
import type { BackendMemory } from './backend-memory.js';
import { type Address, addressOf } from './model/ids.js';
import type { BackendMessage } from './model/messages.js';
import type { Terms } from './model/overrides.js';
import { dismissalOf, endOf, type OrderParams, orderFor, termsOf, yieldsOf } from './overriding.js';

export type Verb = Extract<BackendMessage, Terms>;

function selfOf({ name }: BackendMemory): Address {
  return addressOf('backend', name);
}

export function orderOfVerb(
  memory: BackendMemory,
  verb: Verb,
  replyTo: string | undefined,
): OrderParams {
  const self = selfOf(memory);
  switch (verb.type) {
    case 'backend.pause': {
      const order = { kind: 'pause', value: true, configured: false, ...termsOf(verb) };
      return orderFor(self, order, replyTo);
    }
    case 'backend.resume':
      return endOf(self, ['pause'], verb, replyTo);
    case 'backend.disable':
      return enabling(memory, false, { verb, replyTo });
    case 'backend.enable':
      return enabling(memory, true, { verb, replyTo });
  }
}

function enabling(
  memory: BackendMemory,
  value: boolean,
  { verb, replyTo }: { readonly verb: Terms; readonly replyTo: string | undefined },
): OrderParams {
  const self = selfOf(memory);
  const configured = memory.spec?.enabled ?? true;
  const stands = memory.overrides['enabled'] !== undefined;
  if (value === configured && stands) return endOf(self, ['enabled'], verb, replyTo);
  return orderFor(self, { kind: 'enabled', value, configured, ...termsOf(verb) }, replyTo);
}

export function yieldsIn(memory: BackendMemory): OrderParams | undefined {
  const configured: Readonly<Record<string, boolean>> = {
    pause: false,
    enabled: memory.spec?.enabled ?? true,
  };
  return yieldsOf(selfOf(memory), memory.overrides, (kind) => configured[kind]);
}

export function dismissalIn(memory: BackendMemory): OrderParams | undefined {
  return dismissalOf(selfOf(memory), memory.overrides);
}
