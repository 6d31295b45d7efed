/**
 * Calls of the Control service about tenants of the tenant manager: they answer to their id and to their
 * name; what holds one up is its lane's.
 */
import { addressOf, parseTenantId } from '../../../machines/model/ids.js';
import type { ResourceMessage, TenantMessage } from '../../../machines/model/messages.js';
import { fail } from '../../../machines/model/result.js';
import type { NodeApi } from '../../ports/node-api.js';
import { type Answer, answered, notFound, termsIn, type UnaryCall } from './calls.js';
import { type Request, textOf } from './request-fields.js';

export const TENANTS: Readonly<Record<string, UnaryCall>> = {
  UndeleteTenant: (api, request) => tenantVerb(api, request, { type: 'tenant.undelete' }),
  SleepTenant: (api, request) => tenantVerb(api, request, order('operator.sleep', request)),
  WakeTenant: (api, request) => tenantVerb(api, request, order('operator.wake', request)),
  UnparkTenant: (api, request) => tenantVerb(api, request, { type: 'resource.unpark' }),
};

function order(type: 'operator.sleep' | 'operator.wake', request: Request): TenantMessage {
  const { owner, reason } = termsIn(request);
  return { type, owner, reason };
}

async function tenantVerb(
  api: NodeApi,
  request: Request,
  message: TenantMessage | ResourceMessage,
): Answer {
  const shown = textOf(request, 'name');
  const found = await api.show('tenant', shown);
  const id = found === undefined ? undefined : parseTenantId(String(found['id']));
  if (id === undefined) return fail(notFound('tenant', shown));
  const kind = message.type === 'resource.unpark' ? 'resource' : 'tenant';
  return answered(await api.ask(addressOf(kind, id), message));
}
