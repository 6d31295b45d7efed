/**
 * Sorts row numbers by the address of the row: a stable merge sort on flat arrays, because a dump may
 * name a million rows, and objects and comparison functions are slow.
 */
import { type Columns, compareRowsOf } from './columns.js';

/** `order` holds row numbers; those from `from` up to `to` are sorted in place. */
export function sortRows(columns: Columns, order: Uint32Array, from: number, to: number): void {
  const spare = new Uint32Array(to - from);
  for (let run = 1; run < to - from; run *= 2) {
    for (let start = from; start + run < to; start += 2 * run) {
      const middle = start + run;
      const end = Math.min(middle + run, to);
      const alreadySo = compareRowsOf(columns, order[middle - 1] ?? 0, order[middle] ?? 0) <= 0;
      if (!alreadySo) merge(columns, order, { spare, start, middle, end });
    }
  }
}

interface Runs {
  readonly spare: Uint32Array;
  readonly start: number;
  readonly middle: number;
  readonly end: number;
}

/** Two sorted runs into one; of equals the left one comes first. */
function merge(columns: Columns, order: Uint32Array, { spare, start, middle, end }: Runs): void {
  const size = middle - start;
  for (let place = 0; place < size; place += 1) spare[place] = order[start + place] ?? 0;
  let [left, right, place] = [0, middle, start];
  while (left < size) {
    const row = spare[left] ?? 0;
    const other = order[right] ?? 0;
    if (right < end && compareRowsOf(columns, other, row) < 0) {
      order[place] = other;
      right += 1;
    } else {
      order[place] = row;
      left += 1;
    }
    place += 1;
  }
}
