/**
 * The calls of operators' programs about whole groups: which message to which actor, on whose behalf.
 *
 * A group of the configuration keeps its template and rules; a program changes its size, as an override in its
 * name, and gives it back. Under any other name a program has groups of its own: ordered, changed and dismissed.
 *
 * Rules: [ID-17] what belongs to another tenant does not exist for a caller of one; [ID-23] the size of a
 * configured group; [TN-10] [TN-12] machines/tenant-orders.ts.
 */
import {
  addressOf,
  type GroupKey,
  parseGroupKey,
  parseTenantId,
} from '../../../machines/model/ids.js';
import type { Json, JsonObject } from '../../../machines/model/json.js';
import type { GroupMessage, TenantMessage } from '../../../machines/model/messages.js';
import { type OverrideMessage, overrideOf } from '../../../machines/model/overrides.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import {
  type Answer,
  asked,
  type Caller,
  mayTouch,
  missing,
  type Request,
} from './operator-calls.js';
import { type CallRefusal, refusedWith } from './refusals.js';
import { isObject, textOf } from './request-fields.js';

type Call = (caller: Caller, request: Request) => Answer;

export const GROUP_CALLS: Readonly<Record<string, Call>> = {
  UpsertGroup: async (caller, request) => {
    const place = await placeOf(caller, textOf(request, 'group'));
    if (!place.ok) return place;
    return place.value.configured
      ? resize(caller, place.value, request)
      : order(caller, place.value, request);
  },
  DeleteGroup: async (caller, request) => {
    const place = await placeOf(caller, textOf(request, 'group'));
    if (!place.ok) return place;
    const { key, name, tenant, configured, known, present } = place.value;
    if (configured) return giveBack(caller, key, request);
    if (known === undefined && !present) return fail(missing('group', key));
    const message: TenantMessage = {
      type: 'operator.dismissGroup',
      name,
      ...wordsIn(caller, request),
    };
    const answer = await asked(caller, addressOf('tenant', tenant), message);
    return answer.ok ? ok({ group: key, status: 'deleting' }) : answer;
  },
  SleepTenant: (caller, request) => tenantOrder(caller, request, 'operator.sleep'),
  WakeTenant: (caller, request) => tenantOrder(caller, request, 'operator.wake'),
};

interface Place {
  readonly key: GroupKey;
  readonly tenant: string;
  readonly name: string;
  /** Of the configuration, or of the tenant manager's templates. */
  readonly configured: boolean;
  /** What was ordered before under this name. */
  readonly known: JsonObject | undefined;
  /** There is such a group, perhaps on its way out. */
  readonly present: boolean;
}

async function placeOf({ api, peer }: Caller, shown: string): Promise<Result<Place, CallRefusal>> {
  const key = parseGroupKey(shown);
  const [tenant = '', name = ''] = shown.split('/');
  if (key === undefined || !mayTouch(peer, tenant)) return fail(missing('group', shown));
  const view = await api.view(addressOf('tenant', tenant));
  if (view === undefined) return fail(missing('tenant', tenant));
  const ordered = Array.isArray(view['ordered']) ? view['ordered'].filter(isObject) : [];
  const known = ordered.find(({ group }) => group === key);
  const present = Array.isArray(view['groups']) && view['groups'].includes(key);
  const leaving = view['leaving'];
  const goes = Array.isArray(leaving) && leaving.includes(key);
  const configured = known === undefined ? present && !goes : known['hiddenBy'] !== undefined;
  return ok({ key, tenant, name, configured, known, present });
}

async function resize(caller: Caller, { key }: Place, request: Request): Answer {
  if (textOf(request, 'template') !== '' || bytesIn(request, 'settings').length > 0) {
    const what = `${key} is a group of the configuration: only its size can be changed here`;
    return fail(refusedWith('FAILED_PRECONDITION', `ID-23: ${what}`));
  }
  const size = sizeIn(request);
  if (size === undefined) return fail(refusedWith('INVALID_ARGUMENT', 'size: how many instances'));
  const terms = { owner: caller.peer.name, reason: textOf(request, 'reason'), forMs: null };
  const message: GroupMessage = { type: 'operator.scale', size, ...terms };
  return asked(caller, addressOf('group', key), message);
}

/** What the request leaves out stays as it was ordered before, or is the default. */
async function order(
  caller: Caller,
  { key, name, tenant, known }: Place,
  request: Request,
): Answer {
  const settings = settingsIn(request);
  if (!settings.ok) return settings;
  const [template, size] = [textOf(request, 'template'), sizeIn(request)];
  const wish: JsonObject = {
    ...(isObject(known?.['wish']) ? known['wish'] : {}),
    ...settings.value,
    ...(template === '' ? {} : { template }),
    ...(size === undefined ? {} : { size }),
  };
  const plan = caller.api.planGroup(name, wish);
  if (!plan.ok) return fail(refusedWith('INVALID_ARGUMENT', `${key}: ${plan.failure}`));
  const words = wordsIn(caller, request);
  const message: TenantMessage = {
    type: 'operator.orderGroup',
    name,
    wish,
    plan: plan.value,
    ...words,
  };
  const answer = await asked(caller, addressOf('tenant', tenant), message);
  return answer.ok ? ok({ group: key, created: known === undefined, wish }) : answer;
}

function giveBack(caller: Caller, key: GroupKey, request: Request): Answer {
  const message: OverrideMessage = {
    type: 'override.clear',
    kinds: ['size'],
    by: 'operator',
    owner: caller.peer.name,
    reason: textOf(request, 'reason'),
  };
  return asked(caller, overrideOf(addressOf('group', key)), message);
}

async function tenantOrder(
  caller: Caller,
  request: Request,
  type: 'operator.sleep' | 'operator.wake',
): Answer {
  const shown = textOf(request, 'tenant');
  const tenant = parseTenantId(shown);
  if (tenant === undefined || !mayTouch(caller.peer, shown)) return fail(missing('tenant', shown));
  const to = addressOf('tenant', tenant);
  if ((await caller.api.view(to)) === undefined) return fail(missing('tenant', shown));
  const answer = await asked(caller, to, { type, ...wordsIn(caller, request) } as TenantMessage);
  if (!answer.ok) return answer;
  const { tenant: view } = answer.value;
  return ok(isObject(view) ? view : answer.value);
}

function wordsIn({ peer }: Caller, request: Request) {
  const reason = textOf(request, 'reason').slice(0, 1_024) || `asked by ${peer.name}`;
  return { owner: peer.name, reason };
}

/** 0 is a size; absent is none. */
function sizeIn(request: Request): number | undefined {
  const size = request['size'];
  return typeof size === 'number' ? size : undefined;
}

function bytesIn(request: Request, name: string): Uint8Array {
  const value = request[name];
  return value instanceof Uint8Array ? value : new Uint8Array();
}

function settingsIn(request: Request): Result<JsonObject, CallRefusal> {
  const text = Buffer.from(bytesIn(request, 'settings')).toString('utf8');
  if (text === '') return ok({});
  const value = parsed(text);
  if (isObject(value)) return ok(value);
  const what = 'settings: a JSON object with the keys of a group of the configuration';
  return fail(refusedWith('INVALID_ARGUMENT', what));
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
