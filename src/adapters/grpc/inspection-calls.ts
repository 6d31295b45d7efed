/**
 * Calls of the Control service for somebody who looks into things: an instance kept for inspection, and why an object
 * does not do what one would expect.
 */
import {
  type Address,
  addressOf,
  parseAddress,
  parseGroupKey,
  parseInstanceId,
} from '../../../machines/model/ids.js';
import type { JsonObject } from '../../../machines/model/json.js';
import type { InstanceMessage } from '../../../machines/model/messages.js';
import { fail, ok } from '../../../machines/model/result.js';
import type { NodeApi } from '../../ports/node-api.js';
import { type Answer, badKind, named, notFound, termsIn, type UnaryCall } from './calls.js';
import { isObject, type Request, textOf } from './request-fields.js';

export const INSPECTION: Readonly<Record<string, UnaryCall>> = {
  Quarantine: quarantine,
  WhyNot: whyNot,
};

function quarantine(api: NodeApi, request: Request): Answer {
  const shown = textOf(request, 'instance');
  const target = { kind: 'instance', name: parseInstanceId(shown), shown } as const;
  const terms = termsIn(request);
  const message: InstanceMessage =
    request['release'] === true
      ? { type: 'operator.release', reason: terms.reason }
      : { type: 'operator.quarantine', force: request['force'] === true, ...terms };
  return named(api, target, message);
}

/** What holds it: its own gates, those of its group, its provider, and every condition about them. */
async function whyNot(api: NodeApi, request: Request): Answer {
  const [kind, shown] = [textOf(request, 'kind'), textOf(request, 'name')];
  const object = parseAddress(`${kind}/${shown}`);
  if (object === undefined) return fail(badKind(kind));
  if (kind === 'instance') return instanceAnswer(api, object, shown);
  if (kind === 'group') return groupAnswer(api, object, shown);
  const found = await api.show(kind, shown);
  if (found === undefined) return fail(notFound(kind, shown));
  return ok({ object, ...(await heldBy(api, [object])) });
}

async function groupAnswer(api: NodeApi, object: Address, shown: string): Answer {
  const target = { kind: 'group', name: parseGroupKey(shown), shown } as const;
  const own = await named(api, target, { type: 'operator.whyNot' });
  if (!own.ok) return own;
  const { ok: _, ...gates } = own.value;
  if (gates['provider'] === undefined) {
    return ok({ object, ...gates, ...(await heldBy(api, [object])) });
  }
  const provider = await providerOf(api, gates['provider']);
  return ok({ object, ...gates, provider, ...(await heldBy(api, [object, provider['object']])) });
}

async function instanceAnswer(api: NodeApi, object: Address, shown: string): Answer {
  const target = { kind: 'instance', name: parseInstanceId(shown), shown } as const;
  const own = await named(api, target, { type: 'operator.whyNot' });
  if (!own.ok) return own;
  const { ok: _, ...gates } = own.value;
  const provider = await providerOf(api, gates['provider']);
  const group = addressOf('group', String(gates['group']));
  const asked = await api.ask(group, { type: 'operator.whyNot' } as InstanceMessage);
  const above = asked.ok && isObject(asked.value) ? { groupGates: asked.value['gates'] ?? [] } : {};
  const about = await heldBy(api, [object, group, provider['object']]);
  return ok({ object, ...gates, provider, ...above, ...about });
}

/** How much waits there, and what it said last. */
async function providerOf(api: NodeApi, name: unknown): Promise<JsonObject> {
  const object = addressOf('provider', String(name));
  const view = (await api.list('providers', {})).find((one) => one['name'] === name) ?? {};
  const { state = 'unknown', queued = 0, running = 0, lastError } = view;
  return { object, state, queued, running, ...(lastError === undefined ? {} : { lastError }) };
}

async function heldBy(api: NodeApi, objects: readonly unknown[]): Promise<JsonObject> {
  const conditions = await api.list('conditions', {});
  const guards = await api.list('guards', {});
  return {
    conditions: conditions.filter(({ object }) => objects.includes(object)),
    guards: guards.filter((guard) => Array.isArray(guard['held']) && guard['held'].length > 0),
  };
}
