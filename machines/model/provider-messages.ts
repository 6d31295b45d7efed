/** Messages to a provider: a service, one per configured provider. Its answers are in messages.ts and agent.ts. */
import type { TemplateSpec } from './desired.js';
import type { GroupKey, InstanceId, TenantId } from './ids.js';
import type { ProviderScript } from './provider-script.js';

export interface ProviderTags {
  readonly installation: string;
  readonly node: string;
  readonly tenant: TenantId;
  readonly group: GroupKey;
  readonly instance: InstanceId;
  readonly epoch: number;
}

export type ProviderMessage =
  | {
      readonly type: 'provider.create';
      readonly token: string;
      readonly template: TemplateSpec;
      readonly tags: Omit<ProviderTags, 'installation' | 'node' | 'epoch'>;
      readonly port?: number;
    }
  | { readonly type: 'provider.find'; readonly token: string }
  | { readonly type: 'provider.delete'; readonly providerId: string }
  /** Answered with a ProviderStatusAnswer (model/agent.ts). */
  | { readonly type: 'provider.poll'; readonly providerId: string }
  /** Watch for the death of an instance this daemon did not start itself (after a restart). */
  | { readonly type: 'provider.watch'; readonly providerId: string }
  /** Everything with our tags, compared with the rows; answered by `orphans.listed` or `.unlisted`. */
  | { readonly type: 'provider.sweep' }
  | { readonly type: 'provider.settings'; readonly settings: ProviderSettings };

export interface ProviderSettings {
  readonly name: string;
  readonly driver: 'process' | 'exec' | 'simulated';
  readonly command?: readonly string[];
  readonly timeoutMs: number;
  /** How often an exec driver looks for deaths. */
  readonly pollIntervalMs?: number;
  /** What a simulated driver does wrong, and how slowly. */
  readonly script?: ProviderScript;
  /** Names of the daemon's environment variables that an exec driver's program sees too. */
  readonly passEnvironment?: readonly string[];
  /** Creates per second; absent: unlimited. */
  readonly createRate?: number;
  readonly maxInstances: number;
  readonly concurrency: number;
}
