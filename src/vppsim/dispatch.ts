/**
 * What VPP's main loop does with one message: (state, message, time) → (state, outputs). Pure.
 *
 * Dropped without a word: ids nobody knows, messages shorter than their fixed size, messages of
 * VPP's other features. Keepalives are answered to nobody. A reply finds its client by the index
 * in the request, when everything else is done: with a wrong index the request is executed all the
 * same. A dump needs a control_ping behind it, as nothing else marks its end.
 */
import { keyOfId } from './message-table.js';
import { apply } from './plugin/apply.js';
import { listAses, listVips } from './plugin/dump.js';
import type { LbRequest } from './plugin/requests.js';
import { type LbState, refused, undefinedBehaviour, type Violation } from './plugin/state.js';
import { isRegistered, type Registrations, unregister } from './registrations.js';
import * as replies from './replies.js';
import { asFilter, headOf, requestBytes, writeMessages } from './requests.js';

export interface SimState {
  readonly lb: LbState;
  readonly registrations: Registrations;
  readonly pid: number;
}

export interface Call {
  readonly message: Buffer;
  /** The connection it came on. */
  readonly from: number;
  readonly nowS: number;
  readonly epochS: number;
  /** A fault: answer this instead of executing a state-changing request. */
  readonly forcedRetval: number | undefined;
}

export type Output =
  | { readonly kind: 'reply'; readonly to: number; readonly message: Buffer }
  | { readonly kind: 'details'; readonly to: number; readonly message: Buffer }
  | { readonly kind: 'close'; readonly handle: number }
  | { readonly kind: 'op'; readonly request: LbRequest; readonly retval: number }
  | { readonly kind: 'violation'; readonly violation: Violation; readonly request?: LbRequest }
  | { readonly kind: 'unmodelled'; readonly key: string };

/** What goes to a connection; the rest goes to the op log. */
export type Answer = Extract<Output, { kind: 'reply' | 'details' | 'close' }>;

export function isAnswer(output: Output): output is Answer {
  return output.kind === 'reply' || output.kind === 'details' || output.kind === 'close';
}

export interface Dispatched {
  readonly state: SimState;
  readonly outputs: readonly Output[];
}

/** The key of a message that VPP would not drop. */
export function keyOfMessage(message: Buffer): string | undefined {
  if (message.length < 2) return undefined;
  const key = keyOfId(message.readUInt16BE(0));
  return key !== undefined && message.length >= (requestBytes[key] ?? 0) ? key : undefined;
}

export function dispatch(state: SimState, call: Call): Dispatched {
  const key = keyOfMessage(call.message);
  if (key === undefined) return { state, outputs: [] };
  if (writeMessages[key] !== undefined) return write(state, call, key);
  if (key === 'sockclnt_delete_8ac76db6') return deleteClient(state, call);
  return { state, outputs: readOutputs(state, call, key) };
}

function write(state: SimState, call: Call, key: string): Dispatched {
  const { reply, decode } = writeMessages[key] ?? {};
  if (reply === undefined || decode === undefined) return { state, outputs: [] };
  const { client, context } = headOf(call.message);
  const request = decode(call.message);
  const outcome =
    call.forcedRetval === undefined
      ? apply(state.lb, request, call.nowS)
      : refused(state.lb, call.forcedRetval);
  const { retval, violations } = outcome;
  const reports: Output[] = violations.map((violation) => ({
    kind: 'violation',
    violation,
    request,
  }));
  if (violations.some(({ fatal }) => fatal)) return { state, outputs: reports };
  const answer = replies.retvalReply(reply, context, retval);
  const outputs = [
    ...reports,
    { kind: 'op', request, retval } as const,
    ...replyTo(state, client, [answer]),
  ];
  return { state: { ...state, lb: outcome.state }, outputs };
}

/** Frees the registration it names and closes the connection that asks: hopefully the same. */
function deleteClient(state: SimState, { message }: Call): Dispatched {
  const { client, context } = headOf(message);
  const named = message.readUInt32BE(10);
  const known = isRegistered(state.registrations, named);
  const response = known ? 1 : -1;
  const key = 'sockclnt_delete_reply_8f38b1ee';
  const outputs = replyTo(state, client, [replies.retvalReply(key, context, response)]);
  if (!known || outputs.length === 0) return { state, outputs };
  const violation = undefinedBehaviour("deleting another client's registration");
  const reports: Output[] = named === client ? [] : [{ kind: 'violation', violation }];
  return {
    state: { ...state, registrations: unregister(state.registrations, named) },
    outputs: [...reports, ...outputs, { kind: 'close', handle: client }],
  };
}

function readOutputs(state: SimState, call: Call, key: string): readonly Output[] {
  const { message, from } = call;
  if (key === 'sockclnt_create_455fb9c4') {
    return replyTo(state, from, [replies.createReply(message.readUInt32BE(2), from)]);
  }
  if (key.startsWith('memclnt_keepalive')) return [];
  const { client, context } = headOf(message);
  switch (key) {
    case 'control_ping_51077d14':
      return replyTo(state, client, [replies.pingReply(context, client, state.pid)]);
    case 'show_version_51077d14':
      return replyTo(state, client, [replies.versionReply(context)]);
    case 'show_vpe_system_time_51077d14':
      return replyTo(state, client, [replies.systemTimeReply(context, call.epochS)]);
    case 'lb_conf_get_51077d14':
      return replyTo(state, client, [replies.confReply(context, state.lb.conf)]);
    case 'lb_vip_dump_56110cb7': {
      const rows = listVips(state.lb);
      return detailsTo(
        state,
        client,
        rows.map((vip) => replies.vipDetails(context, vip)),
      );
    }
    case 'lb_as_dump_1063f819': {
      const rows = listAses(state.lb, asFilter(message));
      return detailsTo(
        state,
        client,
        rows.map((row) => replies.asDetails(context, row)),
      );
    }
    case 'lb_as_v2_dump_1063f819': {
      const rows = listAses(state.lb, asFilter(message));
      return detailsTo(
        state,
        client,
        rows.map((row) => replies.asV2Details(context, row)),
      );
    }
    default:
      return [{ kind: 'unmodelled', key }];
  }
}

function replyTo(state: SimState, to: number, messages: readonly Buffer[]): readonly Answer[] {
  if (!isRegistered(state.registrations, to)) return [];
  return messages.map((message) => ({ kind: 'reply', to, message }));
}

function detailsTo(state: SimState, to: number, messages: readonly Buffer[]): readonly Answer[] {
  if (!isRegistered(state.registrations, to)) return [];
  return messages.map((message) => ({ kind: 'details', to, message }));
}
