/**
 * Named places where a crash test may stop the process. In production `hit` does nothing.
 * Enumerated here so that the crash sweep can visit each one.
 */

export const FAILPOINTS = [
  'commit.before',
  'commit.after',
  'provider.create.before',
  'provider.create.after',
  'provider.delete.before',
  'provider.delete.after',
  'vpp.op.before',
  'vpp.op.after',
  'publish.before',
  'publish.after',
  'writeback.before',
  'writeback.after',
  'reload.keep.before',
  'reload.keep.after',
  'reload.hook.before',
  'reload.hook.after',
] as const;
export type Failpoint = (typeof FAILPOINTS)[number];

export interface Failpoints {
  /** Does not return when the armed count of this point is reached. */
  hit(point: Failpoint): void;
}
