/**
 * Announcing VIPs to the world outside: what frontends want, and what the operator's program is called with.
 */
import type { FrontendName } from './ids.js';
import type { VipProtocol } from './lb.js';

/** The operator's program, and how patient we are with it. */
export interface AnnounceSpec {
  readonly command: readonly string[];
  readonly timeoutMs: number;
  /** A VIP that is up is announced after it has been so for this long. */
  readonly holdDownMs: number;
  /** False: this frontend is not to be announced. */
  readonly enabled: boolean;
}

export type AnnounceReason =
  | 'up'
  | 'down'
  | 'no-vip'
  | 'node-drain'
  | 'configuration'
  | 'removed'
  | 'moved';

/** One frontend's word: whether the world should send it traffic. */
export interface AnnounceLevel {
  readonly frontend: FrontendName;
  readonly address: string;
  readonly protocol: VipProtocol;
  readonly port: number;
  readonly wanted: boolean;
  readonly reason: AnnounceReason;
  /** The frontend is going away: withdraw, then forget it. */
  readonly gone: boolean;
  readonly hook: AnnounceSpec;
}

/** What the program reads as one line of JSON. */
export interface HookCall {
  readonly action: 'announce' | 'withdraw';
  readonly frontend: FrontendName;
  readonly address: string;
  readonly prefixLength: 32 | 128;
  readonly protocol: VipProtocol;
  readonly port: number;
  readonly reason: AnnounceReason;
}

export type HookFailure =
  | { readonly code: 'failed'; readonly message: string }
  | { readonly code: 'timeout'; readonly message: string }
  | { readonly code: 'unavailable'; readonly message: string };

export type AnnouncementMessage =
  | { readonly type: 'announce.level'; readonly level: AnnounceLevel }
  /** Answers of a frontend that was asked: it has no program any more; it has nothing to say yet. */
  | { readonly type: 'announce.unhooked' }
  | { readonly type: 'announce.undecided' }
  | { readonly type: 'hook.finished'; readonly call: number; readonly failure: HookFailure | null };

/** To the frontend. */
export interface AnnounceStatus {
  readonly type: 'announce.status';
  readonly announced: boolean;
}

/** To the frontend, after a restart: what is to become of what was announced? */
export interface AnnounceAsked {
  readonly type: 'announce.asked';
}

/** From lbsync to every frontend: whether an operator drained the node; `null`: that cannot be read. */
export interface NodeLevel {
  readonly type: 'node.level';
  readonly drained: boolean | null;
}
