/**
 * The node as its operators see it: what the gRPC, HTTP and inspector servers are built on. The
 * JSON shapes are the contract of interface.md §4 (docs/API.md here); nothing else leaves the node.
 */
import type { Refusal } from '../../machines/model/failures.js';
import type { Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import type { GroupPlan } from '../../machines/model/ordered-groups.js';
import type { Result } from '../../machines/model/result.js';
import type { JournalEntry, OutboxRow } from './store.js';

export const RESOURCE_KINDS = [
  'tenants',
  'groups',
  'instances',
  'backends',
  'frontends',
  'actors',
  'overrides',
  'conditions',
  'guards',
  'incidents',
  'providers',
] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

export interface ListFilter {
  readonly tenant?: string;
  readonly group?: string;
  readonly state?: string;
  readonly limit?: number;
  /** Names greater than this one. */
  readonly after?: string;
}

/** One item of the event stream; `seq` is the journal's. */
export interface WatchItem {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly object: string;
  readonly event: string;
  readonly rule: string;
  readonly numbers: JsonObject;
  readonly cause: string;
}

export interface ReloadRequest {
  readonly dryRun: boolean;
  readonly disruptive: boolean;
  readonly trigger: 'signal' | 'api' | 'file';
}

/** A configuration that was read elsewhere; `file` is where. */
export interface GivenConfig {
  readonly file: string;
  readonly text: string;
}

export interface NodeApi {
  status(): Promise<JsonObject>;
  /** Ascending by name. */
  list(kind: ResourceKind, filter: ListFilter): Promise<readonly JsonObject[]>;
  /** `kind` singular as in `KIND/NAME`; not found: `undefined`. */
  show(kind: string, name: string): Promise<JsonObject | undefined>;
  /** One actor as it shows itself; undefined: there is none. */
  view(address: Address): Promise<JsonObject | undefined>;
  /** Tells an actor something that it does not answer; at most once. */
  tell(to: Address, message: Message): void;
  /** Asks an actor; refusals come back as values. */
  ask(to: Address, message: Message): Promise<Result<Json, Refusal>>;
  /** The load balancer: each VIP as acknowledged, and what waits. */
  dataplane(): Promise<JsonObject>;
  why(object: Address): Promise<readonly JournalEntry[]>;
  /** Calls `listener` for every journal entry after `since`, oldest first, until the result is called. */
  watch(since: number, listener: (item: WatchItem) => void): () => void;
  reload(request: ReloadRequest): Promise<JsonObject>;
  /** What this configuration would do; without one, the file the daemon runs on. */
  plan(given: GivenConfig | undefined): Promise<JsonObject>;
  /** A group that a program orders, with every default of the configuration; or why there can be none. */
  planGroup(name: string, wish: JsonObject): Result<GroupPlan, string>;
  reloadStatus(): Promise<JsonObject>;
  reloadHistory(): Promise<readonly JsonObject[]>;
  outbox(filter: { readonly dead: boolean; readonly limit: number }): Promise<readonly OutboxRow[]>;
  /** Store open, warm-up over, dataplane connected or none. */
  ready(): Promise<{ readonly ready: boolean; readonly reasons: readonly string[] }>;
}
