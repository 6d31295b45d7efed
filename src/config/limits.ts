/**
 * Bounds of one configuration file. What is larger is refused with a sentence, never truncated.
 */
import { assert } from '../../machines/model/assert.js';

export const configLimits = {
  textBytesMax: 64 * 1024 * 1024,
  /** Nesting of mappings and lists, aliases followed. */
  depthMax: 32,
  /** Uses of `*alias`, counted each time one is expanded. */
  aliasesMax: 100,
  /** Values of the whole file, aliases followed. */
  valuesMax: 4_000_000,
  /** Problems told at once; the last line counts the rest. */
  problemsMax: 1_000,
  durationMsMax: 3_650 * 24 * 60 * 60 * 1_000,
  textLengthMax: 4_096,
  /** `sun_path` of Linux less its final zero. */
  socketPathBytesMax: 107,
  groupSizeMax: 65_535,
  tableLengthMax: 32_768,
  poolsMax: 64,
  poolMembersMax: 10_000,
  /** Differences reported by one reload; the count of all is reported beside them. */
  changesMax: 200,
  /** Length of one value shown in a difference. */
  changeTextMax: 500,
} as const;

assert(configLimits.depthMax < 200, 'the recursive readers of the tree must fit the stack');
assert(configLimits.aliasesMax < configLimits.valuesMax, 'aliases are values');
