/**
 * The unary calls of operators' programs about instances: which message to which actor, on whose behalf.
 *
 * Rule: [ID-17] what belongs to another tenant does not exist for a caller of one.
 */
import type { Refusal } from '../../../machines/model/failures.js';
import {
  type Address,
  addressOf,
  type GroupKey,
  parseGroupKey,
  parseInstanceId,
} from '../../../machines/model/ids.js';
import type { Json, JsonObject } from '../../../machines/model/json.js';
import type { GroupMessage, InstanceMessage } from '../../../machines/model/messages.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { NodeApi } from '../../ports/node-api.js';
import type { OperatorPeer } from './peer.js';
import { type CallRefusal, refusedBy, refusedWith } from './refusals.js';

export type Request = Readonly<Record<string, unknown>>;
export type Answer = Promise<Result<JsonObject, CallRefusal>>;

export interface Caller {
  readonly api: NodeApi;
  readonly peer: OperatorPeer;
  /** Of the newest report of its agent. */
  metricsOf(instance: string): Readonly<Record<string, number>> | undefined;
}

type Call = (caller: Caller, request: Request) => Answer;

const KEY = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

export const OPERATOR_CALLS: Readonly<Record<string, Call>> = {
  AcknowledgeDrained: async (caller, request) => {
    const message: InstanceMessage = { type: 'operator.ackDrain' };
    const instance = await instanceIn(caller, request);
    return instance.ok ? asked(caller, instance.value.to, message) : instance;
  },
  GetInstanceStatus: async (caller, request) => {
    const instance = await instanceIn(caller, request);
    if (!instance.ok) return instance;
    const { view } = instance.value;
    const metrics = caller.metricsOf(String(view['id']));
    return ok(metrics === undefined ? view : { ...view, metrics });
  },
  CreateInstance: async (caller, request) => {
    const key = textOf(request, 'key');
    if (!KEY.test(key))
      return fail(refusedWith('INVALID_ARGUMENT', 'key: letters, digits and . _ : -, at most 128'));
    const reason = reasonOf(caller, request);
    const message: GroupMessage = { type: 'operator.createInstance', key, reason };
    const group = await groupIn(caller, textOf(request, 'group'));
    return group.ok ? asked(caller, addressOf('group', group.value), message) : group;
  },
  DeleteInstance: async (caller, request) => {
    const named = await groupOfInstance(caller, request);
    const group = named.ok ? await groupIn(caller, named.value) : named;
    if (!group.ok) return group;
    const message: GroupMessage = {
      type: 'operator.deleteInstance',
      instance: textOf(request, 'instance').slice(0, 128),
      reason: reasonOf(caller, request),
      force: request['force'] === true,
    };
    return asked(caller, addressOf('group', group.value), message);
  },
};

async function instanceIn(
  { api, peer }: Caller,
  request: Request,
): Promise<Result<{ readonly to: Address; readonly view: JsonObject }, CallRefusal>> {
  const shown = textOf(request, 'instance');
  const instance = parseInstanceId(shown);
  const to = instance === undefined ? undefined : addressOf('instance', instance);
  const view = to === undefined ? undefined : await api.view(to);
  if (to === undefined || view === undefined || !mayTouch(peer, view['tenant'])) {
    return fail(missing('instance', shown));
  }
  return ok({ to, view });
}

async function groupOfInstance(
  caller: Caller,
  request: Request,
): Promise<Result<string, CallRefusal>> {
  const named = textOf(request, 'group');
  if (named !== '') return ok(named);
  const instance = await instanceIn(caller, request);
  if (!instance.ok) return instance;
  const { tenant, group } = instance.value.view;
  return ok(`${tenant}/${group}`);
}

async function groupIn(
  { api, peer }: Caller,
  shown: string,
): Promise<Result<GroupKey, CallRefusal>> {
  const group = parseGroupKey(shown);
  const [tenant] = shown.split('/');
  if (group === undefined || !mayTouch(peer, tenant)) return fail(missing('group', shown));
  const view = await api.view(addressOf('group', group));
  return view === undefined ? fail(missing('group', shown)) : ok(group);
}

export function mayTouch({ tenant }: OperatorPeer, owner: Json | undefined): boolean {
  return tenant === undefined || tenant === owner;
}

export function missing(kind: 'group' | 'instance' | 'tenant', shown: string): CallRefusal {
  return refusedWith('NOT_FOUND', `there is no ${kind} '${shown.slice(0, 80)}'`);
}

export async function asked(
  { api }: Caller,
  to: Address,
  message: { readonly type: string },
): Answer {
  const answer = await api.ask(to, message);
  if (!answer.ok) return fail(refusedBy(answer.failure as Refusal));
  const { value } = answer;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return ok(isObject ? (value as JsonObject) : { answer: value });
}

function ownerOf({ peer }: Caller): string {
  return peer.name;
}

/** Whoever wrote no reason is at least named. */
function reasonOf(caller: Caller, request: Request): string {
  return textOf(request, 'reason').slice(0, 1_024) || `asked by ${ownerOf(caller)}`;
}

function textOf(request: Request, name: string): string {
  const value = request[name];
  return typeof value === 'string' ? value : '';
}
