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
  readonly code: 'unreachable' | 'refused' | 'malformed';
  readonly message: string;
}

export interface TenancyApi {
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
