/**
 * One request of an instance, carried to the provider and back: which call it is, and which event
 * answers it. Never rejects.
 *
 * Rules: [PR-15] every request is answered by exactly one event that names its token or instance; an
 * unknown instance to be watched is positively gone, which is a death.
 */

import type { ProviderStatusAnswer } from '../machines/model/agent.js';
import { unreachable } from '../machines/model/assert.js';
import type { ProviderFailure } from '../machines/model/failures.js';
import type { InstanceMessage, ProviderTags } from '../machines/model/messages.js';
import type { AgentEnrolment, EnrolClaims, Provider } from '../src/ports/provider.js';
import type { ProviderRequest } from './provider-queue.js';

export type Ownership = Pick<ProviderTags, 'installation' | 'node' | 'epoch'>;

/** To whoever asked: an instance, or the agent beside it. */
export type ProviderAnswer = InstanceMessage | ProviderStatusAnswer;

export interface Called {
  /** Absent: there is nothing to say (a watch that works). */
  readonly answer?: ProviderAnswer;
  /** The instance this request was about exists. */
  readonly providerId?: string;
  /** Worth asking again by ourselves: nobody waits for an answer. */
  readonly again?: ProviderFailure;
}

/** What instances made here are given. */
export interface Gifts {
  readonly ownership: Ownership;
  /** Absent, or undefined: agents cannot call this daemon. */
  enrol?(claims: EnrolClaims): AgentEnrolment | undefined;
}

export async function callProvider(
  provider: Provider,
  request: ProviderRequest,
  gifts: Gifts,
): Promise<Called> {
  switch (request.type) {
    case 'provider.create':
      return create(provider, request, gifts);
    case 'provider.find':
      return find(provider, request.token);
    case 'provider.delete':
      return remove(provider, request.providerId);
    case 'provider.poll':
      return poll(provider, request.providerId);
    case 'provider.watch':
      return watch(provider, request.providerId);
    default:
      return unreachable(request);
  }
}

/** The event that tells an instance that its request failed; a watch has none. */
export function failedAnswer(
  request: ProviderRequest,
  failure: ProviderFailure,
): ProviderAnswer | undefined {
  switch (request.type) {
    case 'provider.create':
      return { type: 'provider.createFailed', token: request.token, failure };
    case 'provider.find':
      return { type: 'provider.findFailed', token: request.token, failure };
    case 'provider.delete':
      return { type: 'provider.deleteFailed', providerId: request.providerId, failure };
    case 'provider.poll':
      return { type: 'provider.statusFailed', providerId: request.providerId, failure };
    case 'provider.watch':
      return undefined;
    default:
      return unreachable(request);
  }
}

async function create(
  provider: Provider,
  request: Extract<ProviderRequest, { type: 'provider.create' }>,
  { ownership, enrol }: Gifts,
): Promise<Called> {
  const { token, template, port } = request;
  const tags = { ...request.tags, ...ownership };
  const agent = enrol?.({ token, instance: tags.instance });
  const made = await provider.create({
    token,
    template,
    tags,
    ...(port === undefined ? {} : { port }),
    ...(agent === undefined ? {} : { agent }),
  });
  if (!made.ok) return failed(request, made.failure);
  const { providerId, address } = made.value;
  return { providerId, answer: { type: 'provider.created', token, providerId, address } };
}

async function find(provider: Provider, token: string): Promise<Called> {
  const found = await provider.findByToken(token);
  if (!found.ok) return failed({ type: 'provider.find', token }, found.failure);
  if (found.value === undefined) return { answer: { type: 'provider.absent', token } };
  const { providerId, address } = found.value;
  return { providerId, answer: { type: 'provider.found', token, providerId, address } };
}

async function remove(provider: Provider, providerId: string): Promise<Called> {
  const removed = await provider.delete(providerId);
  if (removed.ok) return { answer: { type: 'provider.deleted', providerId } };
  return failed({ type: 'provider.delete', providerId }, removed.failure);
}

/** A question only: whoever asks is not the one whose instance it is. */
async function poll(provider: Provider, providerId: string): Promise<Called> {
  const told = await provider.status(providerId);
  if (told.ok) return { answer: { type: 'provider.status', providerId, state: told.value.state } };
  if (told.failure.code !== 'not-found') {
    return failed({ type: 'provider.poll', providerId }, told.failure);
  }
  return { answer: { type: 'provider.status', providerId, state: 'gone' } };
}

async function watch(provider: Provider, providerId: string): Promise<Called> {
  const watched = await provider.watch(providerId);
  if (watched.ok) return { providerId };
  if (watched.failure.code !== 'not-found') return { again: watched.failure };
  const detail = 'the provider does not know it';
  return { answer: { type: 'provider.exited', providerId, detail } };
}

function failed(request: ProviderRequest, failure: ProviderFailure): Called {
  const answer = failedAnswer(request, failure);
  return answer === undefined ? {} : { answer };
}
