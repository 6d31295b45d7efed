/** The tenant manager's REST interface. Answers with a value, never rejects. */
import type { Result } from '../../machines/model/result.js';

export interface TenancyEvent {
  /** Sequence number; 0 for replayed events. */
  readonly id: number;
  readonly eventType: 'created' | 'deleted';
  readonly resourceType: 'org' | 'project';
  readonly resourceId: string;
  readonly resourceName: string;
  readonly orgId?: string;
  readonly orgName?: string;
}

export interface TenancyPage {
  readonly events: readonly TenancyEvent[];
  readonly lastEventId: number;
}

export interface TenancyFailure {
  /** `unauthorized`: refused because of who we are, or are not. */
  readonly code: 'unreachable' | 'refused' | 'malformed' | 'unauthorized';
  readonly message: string;
}

/** PEM files by what they are: whom we trust, and who we are. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface TenancyApi {
  /** From the next exchange on; the same files again change nothing. */
  secure(files: TlsFiles): void;
  replay(timeoutMs: number): Promise<Result<TenancyPage, TenancyFailure>>;
  poll(
    after: number,
    limit: number,
    timeoutMs: number,
  ): Promise<Result<TenancyPage, TenancyFailure>>;
  putStatus(
    resource: { readonly type: 'org' | 'project'; readonly id: string },
    status: 'in_progress' | 'completed' | 'error',
    message: string,
    timeoutMs: number,
  ): Promise<Result<void, TenancyFailure>>;
  deleteStatus(
    resource: { readonly type: 'org' | 'project'; readonly id: string },
    timeoutMs: number,
  ): Promise<Result<void, TenancyFailure>>;
}
