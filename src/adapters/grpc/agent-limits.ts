/** Bounds of the door for agents, and how they relate. */
import { assert } from '../../../machines/model/assert.js';

export const AGENT_LIMITS = {
  /** Largest message of an agent. */
  messageBytesMax: 64 * 1024,
  connectionsMax: 16_384,
  /** Calls at once on one connection. */
  callsPerConnectionMax: 16,
  headerBytesMax: 8 * 1024,
  /** Memory that one connection may hold in Node's HTTP/2, in its own unit of 1,000,000 bytes. */
  sessionMegabytesMax: 10,
  handshakeTimeoutMs: 5_000,
  /** A connection without a call is closed. */
  idleMs: 60_000,
  /** A dead link is noticed within the sum of the two. */
  keepaliveMs: 20_000,
  keepaliveTimeoutMs: 10_000,
  /** Streams of one kind that one identity may have open: the new one and the one it is about to replace. */
  streamsPerIdentityMax: 2,
  /** Of one stream of reports. */
  reports: { perSecond: 2, burst: 20 },
  detailCharactersMax: 1_024,
  metricsMax: 64,
  metricNameCharactersMax: 128,
  noticeIdCharactersMax: 128,
  /** An open stream is asked for its identity again this often, when it says something. */
  recheckMs: 10_000,
  /** One that says nothing, because it only listens, this often. */
  patrolMs: 60_000,
  /** Tokens that were shown for one instance. */
  registrations: { perSecond: 1, burst: 10 },
} as const;

assert(AGENT_LIMITS.keepaliveMs + AGENT_LIMITS.keepaliveTimeoutMs <= 30_000, 'noticed in 30 s');
assert(AGENT_LIMITS.messageBytesMax > AGENT_LIMITS.metricsMax * 256, 'a full report fits');
