/**
 * What each call of the Control service asks of the node. Requests are checked here; an answer is a JSON
 * object; a refusal becomes a gRPC status with its rule in front of the sentence.
 */
import { status } from '@grpc/grpc-js';
import type { Refusal } from '../../../machines/model/failures.js';
import type { IdentityMessage } from '../../../machines/model/identity.js';
import {
  type ActorKind,
  type Address,
  addressOf,
  parseAddress,
  parseBackendName,
  parseFrontendName,
  parseInstanceId,
} from '../../../machines/model/ids.js';
import type { JsonObject } from '../../../machines/model/json.js';
import type {
  BackendMessage,
  FrontendMessage,
  GroupMessage,
  GuardMessage,
  InstanceMessage,
  LbsyncMessage,
  OutboxAmendment,
  OutboxMessage,
  TenantMessage,
} from '../../../machines/model/messages.js';
import { type OverrideMessage, overrideOf, type Terms } from '../../../machines/model/overrides.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import {
  type GivenConfig,
  type NodeApi,
  RESOURCE_KINDS,
  type ResourceKind,
} from '../../ports/node-api.js';
import { outboxRow } from './outbox-row.js';
import { reload } from './reload-call.js';
import { isObject, numberOf, type Request, textOf } from './request-fields.js';

export interface CallFailure {
  readonly code: number;
  readonly message: string;
}

export type Answer = Promise<Result<JsonObject, CallFailure>>;
export type UnaryCall = (api: NodeApi, request: Request) => Answer;

export const UNARY: Readonly<Record<string, UnaryCall>> = {
  Status: async (api) => ok(await api.status()),
  Show: show,
  Why: why,
  Reload: (api, request) => reload(api, request),
  Plan: async (api, request) => ok(await api.plan(givenIn(request))),
  ReloadStatus: async (api) => ok(await api.reloadStatus()),
  Drain: drain,
  AckDrain: (api, request) => instanceVerb(api, request, { type: 'operator.ackDrain' }),
  Replace: (api, request) =>
    instanceVerb(api, request, { type: 'operator.replace', reason: textOf(request, 'reason') }),
  Backend: backend,
  ProbeTest: (api, request) => probeTest(api, textOf(request, 'name')),
  SetWeight: setWeight,
  ClearOverride: clearOverride,
  Sync: sync,
  Freeze: (api, request) => freeze(api, request, 'operator.freeze'),
  Thaw: (api, request) => freeze(api, request, 'operator.thaw'),
  NodeDrain: (api, request) => nodeVerb(api, request, 'operator.drainNode'),
  NodeUndrain: (api, request) => nodeVerb(api, request, 'operator.undrainNode'),
  DataplaneStatus: async (api) => ok(await api.dataplane()),
  Confirm: confirm,
  ResumeActor: resumeActor,
  RevokeIdentity: revokeIdentity,
  AmendOutbox: amendOutbox,
};

export const LISTS: Readonly<
  Record<
    string,
    (api: NodeApi, request: Request) => Promise<Result<readonly JsonObject[], CallFailure>>
  >
> = {
  List: list,
  ReloadHistory: async (api) => ok(await api.reloadHistory()),
  ListOutbox: async (api, request) => {
    const limit = numberOf(request, 'limit') || LIST_DEFAULT;
    const rows = await api.outbox({ dead: request['dead'] === true, limit });
    return ok(rows.map(outboxRow));
  },
};

/** No text: the daemon's own file is meant. */
function givenIn(request: Request): GivenConfig | undefined {
  const [file, text] = [textOf(request, 'file'), textOf(request, 'text')];
  return file === '' ? undefined : { file, text };
}

const LIST_DEFAULT = 1_000;

async function list(
  api: NodeApi,
  request: Request,
): Promise<Result<readonly JsonObject[], CallFailure>> {
  const kind = RESOURCE_KINDS.find((known) => known === textOf(request, 'kind'));
  if (kind === undefined) return fail(badKind(textOf(request, 'kind')));
  return ok(await api.list(kind, filterOf(request)));
}

function filterOf(request: Request): Parameters<NodeApi['list']>[1] {
  const pick = (name: 'tenant' | 'group' | 'state' | 'after') => {
    const text = textOf(request, name);
    return text === '' ? {} : { [name]: text };
  };
  const limit = numberOf(request, 'limit');
  const limits = limit > 0 ? { limit } : {};
  return { ...pick('tenant'), ...pick('group'), ...pick('state'), ...pick('after'), ...limits };
}

export function badKind(kind: string): CallFailure {
  const message = `there is no kind '${kind}': one of ${RESOURCE_KINDS.join(', ')}`;
  return { code: status.INVALID_ARGUMENT, message };
}

async function show(api: NodeApi, request: Request): Answer {
  const kind = textOf(request, 'kind');
  const name = textOf(request, 'name');
  const plural = `${kind}s` as ResourceKind;
  if (!RESOURCE_KINDS.includes(plural)) return fail(badKind(kind));
  const found = await api.show(kind, name);
  return found === undefined ? fail(notFound(kind, name)) : ok(found);
}

export function notFound(kind: string, name: string): CallFailure {
  return {
    code: status.NOT_FOUND,
    message: `there is no ${kind} '${name}': see 'switchyard get ${kind}s'`,
  };
}

async function why(api: NodeApi, request: Request): Answer {
  const text = `${textOf(request, 'kind')}/${textOf(request, 'name')}`;
  const object = parseAddress(text);
  if (object === undefined) return fail(badKind(textOf(request, 'kind')));
  const chain = await api.why(object);
  if (chain.length === 0) return fail(notFound(textOf(request, 'kind'), textOf(request, 'name')));
  return ok({
    object: text,
    chain: chain.map(({ seq, at, actor, subject, event, rule, numbers, cause }) => ({
      seq,
      at: new Date(at).toISOString(),
      actor,
      ...(subject === undefined ? {} : { subject }),
      event,
      rule,
      numbers,
      cause,
    })),
  });
}

function drain(api: NodeApi, request: Request): Answer {
  const deadlineMs = numberOf(request, 'deadlineMs');
  const deadline = deadlineMs > 0 ? { deadlineMs } : {};
  const message: InstanceMessage = {
    type: 'operator.drain',
    reason: textOf(request, 'reason'),
    force: request['force'] === true,
    ...deadline,
  };
  return instanceVerb(api, { name: request['instance'] }, message);
}

function instanceVerb(api: NodeApi, request: Request, message: InstanceMessage): Answer {
  const shown = textOf(request, 'name');
  return named(api, { kind: 'instance', name: parseInstanceId(shown), shown }, message);
}

function backend(api: NodeApi, request: Request): Answer {
  const shown = textOf(request, 'name');
  const verb = textOf(request, 'verb').toLowerCase();
  if (!['pause', 'resume', 'enable', 'disable'].includes(verb)) {
    return Promise.resolve(
      fail({
        code: status.INVALID_ARGUMENT,
        message: 'verb must be pause, resume, enable or disable',
      }),
    );
  }
  const message = { type: `backend.${verb}`, ...termsIn(request) } as BackendMessage;
  return named(api, { kind: 'backend', name: parseBackendName(shown), shown }, message);
}

async function probeTest(api: NodeApi, shown: string): Answer {
  const target = { kind: 'backend', name: parseBackendName(shown), shown } as const;
  const answer = await named(api, target, { type: 'backend.test' });
  if (!answer.ok) return answer;
  const { test } = answer.value;
  return ok(isObject(test) ? { backend: shown, ...test } : answer.value);
}

function setWeight(api: NodeApi, request: Request): Answer {
  const shown = textOf(request, 'frontend');
  const target = { kind: 'frontend', name: parseFrontendName(shown), shown } as const;
  return named(api, target, {
    type: 'operator.weight',
    pool: textOf(request, 'pool'),
    member: textOf(request, 'member'),
    weight: numberOf(request, 'weight'),
    flush: request['flush'] === true,
    ...termsIn(request),
  });
}

async function clearOverride(api: NodeApi, request: Request): Answer {
  const object = parseAddress(textOf(request, 'object'));
  const kind = textOf(request, 'kind');
  const known = await api.list('overrides', {});
  const stands = known.some((one) => one['object'] === object && one['kind'] === kind);
  if (object === undefined || !stands) return fail(notFound('override', `${object} ${kind}`));
  const { owner, reason } = termsIn(request);
  const message: OverrideMessage = {
    type: 'override.clear',
    kinds: [kind],
    by: 'operator',
    owner,
    reason,
  };
  return answered(await api.ask(overrideOf(object), message));
}

/** An order that says nothing else ends by itself. */
const OVERRIDE_DEFAULT_MS = 24 * 3_600_000;

export function termsIn(request: Request): Terms {
  const asked = numberOf(request, 'forMs');
  const forMs = asked > 0 ? asked : OVERRIDE_DEFAULT_MS;
  return {
    owner: textOf(request, 'owner') || 'unix',
    reason: textOf(request, 'reason'),
    forMs: request['forever'] === true ? null : forMs,
  };
}

async function sync(api: NodeApi, request: Request): Answer {
  const shown = textOf(request, 'name');
  const frontend = parseFrontendName(shown);
  if (shown !== '' && frontend === undefined) return fail(notFound('frontend', shown));
  const target = frontend === undefined ? {} : { frontend };
  return answered(
    await api.ask(addressOf('lbsync', 'main'), {
      type: 'operator.sync',
      ...target,
    } as LbsyncMessage),
  );
}

async function freeze(
  api: NodeApi,
  request: Request,
  type: 'operator.freeze' | 'operator.thaw',
): Answer {
  const shown = textOf(request, 'frontend');
  const frontend = parseFrontendName(shown);
  if (shown !== '' && frontend === undefined) return fail(notFound('frontend', shown));
  const target = frontend === undefined ? {} : { frontend };
  const message: LbsyncMessage = { type, ...target, ...termsIn(request) };
  return answered(await api.ask(addressOf('lbsync', 'main'), message));
}

async function nodeVerb(
  api: NodeApi,
  request: Request,
  type: 'operator.drainNode' | 'operator.undrainNode',
): Answer {
  const message: LbsyncMessage = { type, ...termsIn(request) };
  return answered(await api.ask(addressOf('lbsync', 'main'), message));
}

async function confirm(api: NodeApi, request: Request): Answer {
  const name = textOf(request, 'name');
  const known = await api.list('guards', {});
  if (!known.some((guard) => guard['name'] === name)) return fail(notFound('guard', name));
  const { owner, reason } = termsIn(request);
  const atMost = numberOf(request, 'atMost');
  const message: GuardMessage = {
    ...{ type: 'operator.confirm', owner, reason },
    ...(atMost === 0 ? {} : { atMost }),
  };
  return answered(await api.ask(addressOf('guard', name), message));
}

async function resumeActor(api: NodeApi, request: Request): Answer {
  const address = parseAddress(textOf(request, 'name'));
  if (address === undefined) return fail(notFound('actor', textOf(request, 'name')));
  return answered(await api.ask(address, { type: 'actor.resume' }));
}

async function amendOutbox(api: NodeApi, request: Request): Answer {
  const [row, reason] = [textOf(request, 'row'), textOf(request, 'reason')];
  const sinceMs = numberOf(request, 'sinceMs');
  const amendments: Readonly<Record<string, OutboxAmendment>> = {
    REQUEUE: { verb: 'requeue', row },
    DISCARD: { verb: 'discard', row, reason },
    REPUBLISH: { verb: 'republish', sinceMs },
  };
  const amendment = amendments[textOf(request, 'verb')];
  const misses = amendment?.verb === 'republish' ? sinceMs <= 0 : row === '';
  if (amendment === undefined || misses) {
    const message = 'verb must be REQUEUE or DISCARD with a row, or REPUBLISH with a time';
    return fail({ code: status.INVALID_ARGUMENT, message });
  }
  const message: OutboxMessage = { type: 'outbox.amend', amendment };
  return answered(await api.ask(addressOf('outbox', 'main'), message));
}

async function revokeIdentity(api: NodeApi, request: Request): Answer {
  const instance = parseInstanceId(textOf(request, 'name'));
  const known =
    instance === undefined ? undefined : await api.view(addressOf('instance', instance));
  if (instance === undefined || known === undefined) {
    return fail(notFound('instance', textOf(request, 'name')));
  }
  const reason = textOf(request, 'reason');
  const message: IdentityMessage = { type: 'identity.revoke', reason };
  return answered(await api.ask(addressOf('identity', instance), message));
}

type OperatorMessage =
  | InstanceMessage
  | GroupMessage
  | BackendMessage
  | FrontendMessage
  | TenantMessage;

export interface Target {
  readonly kind: ActorKind;
  /** Undefined: the text is no name of this kind. */
  readonly name: string | undefined;
  readonly shown: string;
}

export async function named(api: NodeApi, target: Target, message: OperatorMessage): Answer {
  if (target.name === undefined) return fail(notFound(target.kind, target.shown));
  const address: Address = addressOf(target.kind, target.name);
  const exists = await api.show(target.kind, target.name);
  if (exists === undefined) return fail(notFound(target.kind, target.shown));
  return answered(await api.ask(address, message));
}

export function answered(
  outcome: Awaited<ReturnType<NodeApi['ask']>>,
): Result<JsonObject, CallFailure> {
  if (!outcome.ok) return fail(refused(outcome.failure));
  return ok(isObject(outcome.value) ? outcome.value : { answer: outcome.value });
}

function refused({ code, rule, message }: Refusal): CallFailure {
  const found = code === 'not-found';
  return {
    code: found ? status.NOT_FOUND : status.FAILED_PRECONDITION,
    message: found ? message : `${rule}: ${message}`,
  };
}
