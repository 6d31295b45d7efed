/**
 * The unary calls of agents: register, renew, acknowledge a drain. Who calls has been read from the
 * certificate; here it is asked whether that still counts.
 *
 * Rules: [ID-1] [ID-5] a token is checked, then the instance it names, then bound to the key it came with,
 * durably, and only then is a certificate given; [ID-6] a certificate counts while its key is the bound one and
 * its instance lives; [ID-15] tokens for one instance are tried at a bounded rate.
 */
import { addressOf, type InstanceId } from '../../../machines/model/ids.js';
import type { JsonObject } from '../../../machines/model/json.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { type Bucket, fullBucket, takePermit } from '../../policy/rate.js';
import type { Clock } from '../../ports/clock.js';
import type { Log } from '../../ports/log.js';
import type { NodeApi } from '../../ports/node-api.js';
import { AGENT_SERVER_NAME, type Authority } from '../agent-ca/authority.js';
import { type AgentIdentity, identityIn, uriOf } from '../agent-ca/identity.js';
import type { TokenFailure } from '../agent-ca/token.js';
import { AGENT_LIMITS } from './agent-limits.js';
import type { AgentPeer } from './peer.js';
import { type CallRefusal, refusedBy, refusedWith } from './refusals.js';

export interface AgentCallsOptions {
  readonly api: Pick<NodeApi, 'ask' | 'tell' | 'view'>;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly log: Log;
}

export type Outcome<T = JsonObject> = Promise<Result<T, CallRefusal>>;

export interface AgentCalls {
  register(request: { readonly token: string; readonly publicKey: Buffer }): Outcome;
  renew(peer: AgentPeer): Outcome;
  /** Whether its certificate still counts. */
  admit(peer: AgentPeer): Outcome<void>;
  acknowledge(peer: AgentPeer): Outcome;
}

const TOKEN_REFUSALS: Readonly<Record<TokenFailure, CallRefusal>> = {
  malformed: refusedWith(
    'INVALID_ARGUMENT',
    'ID-1: this is no token; it comes with the instance, whole',
  ),
  forged: refusedWith('UNAUTHENTICATED', 'ID-1: this token was not made here'),
  expired: refusedWith('UNAUTHENTICATED', 'ID-1: this token has expired: replace the instance'),
};

const TOO_OFTEN = refusedWith('RESOURCE_EXHAUSTED', 'ID-15: this token is shown too often');

/** There is nothing to speak for any more. */
const OVER: readonly string[] = ['drained', 'lost', 'deleting', 'deleted', 'failed'];

/** Until somebody says how often this group wants to hear of its agents. */
const REPORT_INTERVAL_MS = 60_000;

export function createAgentCalls(options: AgentCallsOptions): AgentCalls {
  const { api, authority, clock, log } = options;
  const mayRegister = boundedRegistrations(clock);

  const living = async (instance: InstanceId): Outcome => {
    const view = await api.view(addressOf('instance', instance));
    if (view === undefined)
      return fail(refusedWith('NOT_FOUND', `there is no instance ${instance}`));
    const state = String(view['state']);
    if (!OVER.includes(state)) return ok(view);
    return fail(refusedWith('FAILED_PRECONDITION', `ID-6: ${instance} is ${state}`));
  };

  const answer = async (identity: AgentIdentity, publicKey: Buffer): Outcome => {
    const issued = authority.certifyAgent(identity, publicKey);
    if (!issued.ok) return fail(refusedWith('INVALID_ARGUMENT', `ID-4: ${issued.failure}`));
    const { pem, notAfterMs } = issued.value;
    const nowMs = clock.now();
    return ok({
      ...identity,
      certificate: pem,
      authority: authority.certificate,
      serverName: AGENT_SERVER_NAME,
      notAfterMs,
      renewAtMs: Math.floor(nowMs + ((notAfterMs - nowMs) * 2) / 3),
      reportIntervalMs: await intervalOf(api, identity.instance),
    });
  };

  const admit = async ({ identity, key }: AgentPeer): Outcome<void> => {
    const { instance } = identity;
    const message = { type: 'identity.check', key };
    const checked = await api.ask(addressOf('identity', instance), message);
    return checked.ok ? ok(undefined) : fail(deniedBy(checked.failure));
  };

  return {
    register: async ({ token, publicKey }) => {
      const checked = authority.checkToken(token);
      if (!checked.ok) return fail(TOKEN_REFUSALS[checked.failure]);
      const { instance, clientToken } = checked.value;
      if (!mayRegister(instance)) return fail(TOO_OFTEN);
      const view = await living(instance);
      if (!view.ok) return view;
      const identity = identityOf(view.value, authority.installation);
      if (identity === undefined || view.value['token'] !== clientToken)
        return fail(TOKEN_REFUSALS.forged);
      const key = authority.digestOf(publicKey);
      if (!key.ok) return fail(refusedWith('INVALID_ARGUMENT', `ID-4: ${key.failure}`));
      const message = { type: 'identity.enrol', key: key.value };
      const bound = await api.ask(addressOf('identity', instance), message);
      if (!bound.ok) {
        log.warn({ instance, rule: bound.failure.rule }, 'an agent was not registered');
        return fail(deniedBy(bound.failure));
      }
      api.tell(addressOf('agent', instance), { type: 'agent.registered' });
      return answer(identity, publicKey);
    },
    renew: async (peer) => {
      const view = await living(peer.identity.instance);
      if (!view.ok) return view;
      const admitted = await admit(peer);
      return admitted.ok ? answer(peer.identity, peer.publicKey) : admitted;
    },
    admit,
    acknowledge: async (peer) => {
      const admitted = await admit(peer);
      if (!admitted.ok) return admitted;
      const to = addressOf('instance', peer.identity.instance);
      const acknowledged = await api.ask(to, { type: 'operator.ackDrain' });
      return acknowledged.ok ? ok({}) : fail(refusedBy(acknowledged.failure));
    },
  };
}

function deniedBy({
  rule,
  message,
}: {
  readonly rule: string;
  readonly message: string;
}): CallRefusal {
  return refusedWith('PERMISSION_DENIED', `${rule}: ${message}`);
}

function identityOf(view: JsonObject, installation: string): AgentIdentity | undefined {
  const { tenant, group, id } = view as { tenant: string; group: string; id: string };
  const claimed = { tenant, group, instance: id } as AgentIdentity;
  return identityIn(uriOf(claimed, installation), installation);
}

/** As its instance has told its agent's actor. */
async function intervalOf(api: Pick<NodeApi, 'view'>, instance: InstanceId): Promise<number> {
  const view = await api.view(addressOf('agent', instance));
  const known = view?.['intervalMs'];
  return typeof known === 'number' && known > 0 ? known : REPORT_INTERVAL_MS;
}

/** Instances whose tokens are remembered as tried; a token has to be genuine to get here. */
const TRIED_MAX = 10_000;

function boundedRegistrations(clock: Clock): (instance: InstanceId) => boolean {
  const buckets = new Map<InstanceId, Bucket>();
  return (instance) => {
    const nowMs = clock.monotonic();
    const rule = AGENT_LIMITS.registrations;
    const taken = takePermit(rule, buckets.get(instance) ?? fullBucket(rule, nowMs), nowMs);
    buckets.delete(instance);
    buckets.set(instance, taken.bucket);
    const [oldest] = buckets.keys();
    if (buckets.size > TRIED_MAX && oldest !== undefined) buckets.delete(oldest);
    return taken.granted;
  };
}
