/**
 * Bounds of the diff core. Weights and lengths are what VPP can express and report back: its dump
 * carries 16 bits of a table's length, so 32768 is the longest table that can be verified.
 */
import { assert } from '../../machines/model/assert.js';

/** VPP documents 0..100 and believes any byte; nothing above 100 is ever sent. */
export const WEIGHT_MAX = 100;

export const TABLE_LENGTH_MIN = 1024;
export const TABLE_LENGTH_MAX = 32_768;

/** Buckets per unit of weight: below this the remainder of the division distorts small weights. */
export const BUCKETS_PER_WEIGHT = 16;

/** VPP's own defaults: what a freshly started VPP answers when asked for its configuration. */
export const VPP_STICKY_BUCKETS_DEFAULT = 1024;
export const VPP_FLOW_TIMEOUT_DEFAULT_S = 40;

assert(TABLE_LENGTH_MIN <= TABLE_LENGTH_MAX, 'the shortest table must not exceed the longest');
assert(
  TABLE_LENGTH_MIN >= BUCKETS_PER_WEIGHT * 10,
  'ten equal servers must fit the shortest table without distortion',
);
