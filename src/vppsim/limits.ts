/**
 * Every bound of the simulator. Where a number is VPP's own behaviour rather than our choice, the
 * comment says so.
 */
import { assert } from '../../machines/model/assert.js';

export const limits = {
  /** VPP writes its replies in pieces of this size. */
  writeChunkBytes: 4096,
  /** A frame that announces more is swallowed as it arrives; VPP would collect it in memory. */
  heldFrameBytes: 1_048_576,
  /** Replies waiting for one client that does not read; beyond it the client is cut off. */
  unreadReplyBytes: 268_435_456,
  /** VPP's main heap. The new-flow tables of deleted VIPs are never given back to it. */
  heapBytes: 2 ** 30,
  /** VPP collects garbage at every full minute of uptime, and per VIP at most once a minute. */
  sweepEveryS: 60,
  /** A removed AS stays at least this long. */
  removedAsKeptS: 10,
  /** How often the process looks whether a sweep is due. */
  sweepCheckMs: 5_000,
  /** One `advanceS` command moves uptime at most this far, which bounds the sweeps it causes. */
  advanceS: 86_400,
  /** The longest delay or freeze a fault may ask for. */
  faultDelayMs: 600_000,
  /** The op log starts anew at this size; the file before it is kept as `.1`. */
  opLogBytes: 67_108_864,
  /** Ops kept in memory for `ops()`. */
  opsKept: 100_000,
  /** One line on the control socket. */
  controlLineBytes: 65_536,
  /** `sun_path` minus its final NUL. */
  socketPathBytes: 107,
  /** A detached simulator must answer within this time. */
  detachedStartMs: 10_000,
  detachedPollMs: 25,
  /** How long a probe of a socket waits for the kernel's answer. */
  connectProbeMs: 1_000,
} as const;

assert(limits.removedAsKeptS < limits.sweepEveryS, 'a removed AS must not outlive its first sweep');
assert(limits.writeChunkBytes < limits.heldFrameBytes, 'a frame spans several writes at most');
