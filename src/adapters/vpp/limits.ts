/**
 * Bounds of the VPP client. What arrives is treated as hostile, what leaves is kept small: VPP's main
 * thread is the limit, a window beyond 64 only adds latency.
 */

export const limits = {
  /** VPP sets no bound itself, and a stream cut in the wrong place shows as a huge length. */
  frameBytesMax: 16 * 1024 * 1024,
  /** A full VPP has several thousand messages. */
  messageTableMax: 16_384,
  /** Twice the application servers a node is built for. */
  dumpRecordsMax: 2_000_000,
  windowDefault: 32,
  windowMax: 1024,
  /** Requests that wait for a place in the window. */
  queueMax: 16_384,
  requestTimeoutMsDefault: 3000,
  tableLengthMax: 32_768,
  weightMax: 100,
  dscpMax: 63,
  /** 64 bytes each on every VPP worker; beyond this a default heap is at risk. */
  stickyBucketsMax: 1_048_576,
  flowTimeoutSMax: 0x7fff_ffff,
} as const;
