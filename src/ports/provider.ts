/**
 * What creates and deletes instances. Every call answers with a value and never rejects.
 *
 * A failure other than `not-found` is ignorance: it changes nothing. `create` with a token that was
 * used before answers the instance of that token, it never makes a second one.
 */
import type { TerminationNotice } from '../../machines/model/agent.js';
import type { TemplateSpec } from '../../machines/model/desired.js';
import type { ProviderFailure } from '../../machines/model/failures.js';
import type { InstanceId } from '../../machines/model/ids.js';
import type { ProviderTags } from '../../machines/model/messages.js';
import type { Result } from '../../machines/model/result.js';

export interface ProvidedInstance {
  readonly providerId: string;
  readonly token: string;
  /** IP address of its backend. */
  readonly address: string;
  readonly state: 'running' | 'terminal';
  readonly tags: ProviderTags;
}

export type NoticeListener = (providerId: string, notice: TerminationNotice) => void;

/** How the instance's agent becomes known to its daemon. */
export interface AgentEnrolment {
  /** A secret, good once and not for long; begins with the client token. */
  readonly token: string;
  /** `host:port` that agents call. */
  readonly server: string;
}

export interface EnrolClaims {
  readonly token: string;
  readonly instance: InstanceId;
}

export interface CreateRequest {
  readonly token: string;
  readonly template: TemplateSpec;
  readonly tags: ProviderTags;
  /** Port the instance should listen on, when its group probes one. */
  readonly port?: number;
  /** Absent: agents cannot call this daemon. */
  readonly agent?: AgentEnrolment;
}

export interface Provider {
  create(request: CreateRequest): Promise<Result<ProvidedInstance, ProviderFailure>>;
  /** Deleting what is absent is success. */
  delete(providerId: string): Promise<Result<void, ProviderFailure>>;
  status(providerId: string): Promise<Result<ProvidedInstance, ProviderFailure>>;
  /** Instances tagged with this installation. `next`: pass it to read on. Partial failure is a failure. */
  list(
    installation: string,
    page?: string,
  ): Promise<
    Result<
      { readonly instances: readonly ProvidedInstance[]; readonly next?: string },
      ProviderFailure
    >
  >;
  /** Positive answer either way: the instance, or `undefined` when no instance has this token. */
  findByToken(token: string): Promise<Result<ProvidedInstance | undefined, ProviderFailure>>;
  /** Called once per instance that is positively dead, also for instances of an earlier run. */
  onExit(listener: (providerId: string, detail: string) => void): void;
  /** Called when an instance is told that it will be ended; perhaps more than once for one notice. */
  onNotice?(listener: NoticeListener): void;
  /** Makes `onExit` work for an instance of an earlier run; already dead: the listener is called soon. */
  watch(providerId: string): Promise<Result<void, ProviderFailure>>;
  /** Stops watching; instances live on. */
  close(): Promise<void>;
}
