/**
 * Words of and about the agent on an instance. Whoever serves agents tells `agent/<instance>` what they
 * say; that actor tells the instance what it makes of it, and the provider's own word when an agent falls
 * silent.
 */
import type { ProviderFailure } from './failures.js';
import type { InstanceId } from './ids.js';

/** The provider is about to take the instance away. */
export interface TerminationNotice {
  /** The same notice again changes nothing. */
  readonly id: string;
  /** Wall clock; absent: the provider does not say when. */
  readonly deadlineMs?: number;
}

/** Ordered by (boot, seq): what comes late or twice changes nothing. */
export interface AgentReport {
  /** Larger with every start of the agent: the wall clock of its start will do. */
  readonly boot: number;
  readonly seq: number;
  readonly healthy: boolean;
  readonly detail: string;
  readonly notice?: TerminationNotice;
}

/**
 * `unheard`: nothing was ever said in this life of the daemon; `registered`: it has an identity, and no report
 * yet; `silent`: it has missed its reports, and nothing is known of why.
 */
export type AgentState = 'unheard' | 'registered' | 'healthy' | 'unhealthy' | 'silent';

export interface AgentVerdict {
  readonly state: AgentState;
  readonly sinceMs: number;
  readonly detail: string;
}

/** What an agent actor needs to know of its instance. */
export interface AgentSpec {
  readonly instance: InstanceId;
  readonly provider: string;
  readonly providerId: string;
  readonly intervalMs: number;
  readonly missedReports: number;
}

export type AgentMessage =
  /** From the instance: a level, said again at will. */
  | { readonly type: 'agent.desired'; readonly spec: AgentSpec }
  | { readonly type: 'agent.removed' }
  | { readonly type: 'agent.registered' }
  | { readonly type: 'agent.reported'; readonly report: AgentReport }
  /** Its stream of reports ended, for whatever reason. */
  | { readonly type: 'agent.closed'; readonly boot: number }
  | ProviderStatusAnswer;

/** The answer to `provider.poll`; an instance the provider does not know is `gone`. */
export type ProviderStatusAnswer =
  | {
      readonly type: 'provider.status';
      readonly providerId: string;
      readonly state: 'running' | 'terminal' | 'gone';
    }
  | {
      readonly type: 'provider.statusFailed';
      readonly providerId: string;
      readonly failure: ProviderFailure;
    };
