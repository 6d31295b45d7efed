/**
 * Where every state of a chart stands: nested boxes in the order in which their author wrote them.
 *
 * Input: a chart. Output: a box per state with its lines of text, everything on a grid, so that the
 * lines of transitions (routes.ts) can run on it too. Runs in the browser too: no imports but types.
 *
 * A state is as large as its words; the states inside of another stand below its words in shelves,
 * short ones on top of each other. Of all widths that give another arrangement, the one nearest to the
 * shape of a screen is taken. Rules: [CL-56] no two boxes overlap, and every box lies within its parent.
 */
import type { ChartState, Row } from './chart.js';

/** All coordinates are multiples of it. */
export const GRID = 8;

export interface BoxLine {
  readonly kind: 'description' | 'actions' | 'row' | 'guard' | 'effects';
  readonly text: string;
  /** Middle of the line. */
  readonly y: number;
  /** Index among the state's rows; absent: not of a row. */
  readonly row?: number;
}

export interface Box {
  readonly state: ChartState;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Height of the words; the states inside stand below. */
  readonly headHeight: number;
  readonly lines: readonly BoxLine[];
  readonly children: readonly Box[];
}

export interface LayoutOptions {
  /** Actions are written out below their transitions. */
  readonly withActions: boolean;
  /** Width through height of where it is shown. */
  readonly aspect: number;
}

const PAD = 2 * GRID;
/** Room between boxes: so many lines may run side by side. */
const GAP = 5 * GRID;
const LINE = 2 * GRID;
const NAME = 3 * GRID;
const CHAR_PX = 6.7;
const NAME_CHAR_PX = 8.2;
const DESCRIPTION_CHAR_PX = 6.1;
const WIDTH_MIN = 17 * GRID;
const LINE_CHARS_MAX = 44;
const DESCRIPTION_LINES_MAX = 3;

export function layOut(chart: ChartState, options: LayoutOptions): Box {
  return moved(sized(chart, options), 0, 0);
}

/** Every box, outer ones first. */
export function boxesOf(box: Box): readonly Box[] {
  return [box, ...box.children.flatMap(boxesOf)];
}

function sized(state: ChartState, options: LayoutOptions): Box {
  const children = state.children.map((child) => sized(child, options));
  const packed = packBest(children, options.aspect);
  const words = wordsOf(state, options);
  const inner = children.length === 0 ? 0 : packed.width + 2 * GAP;
  const width = onGrid(Math.max(WIDTH_MIN, widthOf(state, words), inner));
  const lines = linesOf(state, words, width);
  const headHeight = NAME + lines.length * LINE + GRID;
  const below = children.length === 0 ? 0 : packed.height + GAP + (GAP - GRID);
  return {
    state,
    x: 0,
    y: 0,
    width,
    height: headHeight + below,
    headHeight,
    lines,
    children: packed.boxes.map((box) => moved(box, GAP, headHeight + GAP - GRID)),
  };
}

function moved(box: Box, x: number, y: number): Box {
  return {
    ...box,
    x: box.x + x,
    y: box.y + y,
    lines: box.lines.map((line) => ({ ...line, y: line.y + y })),
    children: box.children.map((child) => moved(child, x, y)),
  };
}

type Words = readonly Omit<BoxLine, 'y'>[];

function wordsOf(state: ChartState, { withActions }: LayoutOptions): Words {
  const named = (word: string, names: readonly string[]): Words =>
    names.length === 0 ? [] : [{ kind: 'actions', text: cut(`${word} / ${names.join(', ')}`) }];
  return [
    ...(withActions ? [...named('entry', state.entry), ...named('exit', state.exit)] : []),
    ...state.rows.flatMap((row, at) => rowWords(row, at, withActions)),
  ];
}

function rowWords(row: Row, at: number, withActions: boolean): Words {
  const guard = row.guard === undefined ? '' : `[${row.guard}]`;
  const both = guard === '' ? row.trigger : `${row.trigger} ${guard}`;
  const fits = both.length <= LINE_CHARS_MAX;
  const effects = withActions && row.actions.length > 0 ? row.actions.join(', ') : '';
  return [
    { kind: 'row', text: fits ? both : cut(row.trigger), row: at },
    ...(fits ? [] : [{ kind: 'guard', text: cut(`  ${guard}`), row: at } as const]),
    ...(effects === '' ? [] : [{ kind: 'effects', text: cut(`  / ${effects}`), row: at } as const]),
  ];
}

function cut(text: string): string {
  return text.length <= LINE_CHARS_MAX ? text : `${text.slice(0, LINE_CHARS_MAX - 1)}…`;
}

function widthOf({ name }: ChartState, words: Words): number {
  const longest = Math.max(0, ...words.map(({ text }) => text.length));
  return Math.max(name.length * NAME_CHAR_PX, longest * CHAR_PX) + 2 * PAD;
}

function linesOf(state: ChartState, words: Words, width: number): readonly BoxLine[] {
  const chars = Math.floor((width - 2 * PAD) / DESCRIPTION_CHAR_PX);
  const described = wrapped(state.description, chars).map(
    (text) => ({ kind: 'description', text }) as const,
  );
  return [...described, ...words].map((line, at) => ({ ...line, y: NAME + at * LINE + GRID }));
}

export function wrapped(text: string, chars: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter((some) => some !== '')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= chars) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  if (lines.length <= DESCRIPTION_LINES_MAX) return lines;
  const shown = lines.slice(0, DESCRIPTION_LINES_MAX);
  return [...shown.slice(0, -1), `${shown.at(-1)}…`];
}

interface Packed {
  readonly boxes: readonly Box[];
  readonly width: number;
  readonly height: number;
}

/** Tries every width that a run of neighbours has. */
function packBest(boxes: readonly Box[], aspect: number): Packed {
  const widths = boxes.flatMap((_, from) =>
    boxes.slice(from).map((_, length) => {
      const run = boxes.slice(from, from + length + 1);
      return run.reduce((sum, { width }) => sum + width + GAP, -GAP);
    }),
  );
  const packed = [...new Set(widths)].sort((a, b) => a - b).map((width) => pack(boxes, width));
  const cost = ({ width, height }: Packed): number => Math.max(width, height * aspect);
  return packed.reduce((best, one) => (cost(one) < cost(best) ? one : best), pack(boxes, 1e9));
}

/** Shelves of columns: a box goes below the last one while the shelf is high enough. */
function pack(boxes: readonly Box[], widthMax: number): Packed {
  const placed: Box[] = [];
  let shelf = { y: 0, height: 0 };
  let column = { x: 0, width: 0, height: 0 };
  for (const box of boxes) {
    const stacked = column.height + GAP + box.height;
    const fitsBelow =
      column.height > 0 &&
      stacked <= shelf.height &&
      column.x + Math.max(column.width, box.width) <= widthMax;
    if (fitsBelow) {
      placed.push(moved(box, column.x, shelf.y + column.height + GAP));
      column = { ...column, width: Math.max(column.width, box.width), height: stacked };
      continue;
    }
    const next = column.height === 0 ? 0 : column.x + column.width + GAP;
    if (next > 0 && next + box.width > widthMax) {
      shelf = { y: shelf.y + shelf.height + GAP, height: 0 };
      column = { x: 0, width: box.width, height: box.height };
    } else column = { x: next, width: box.width, height: box.height };
    shelf.height = Math.max(shelf.height, box.height);
    placed.push(moved(box, column.x, shelf.y));
  }
  const edge = (end: (box: Box) => number): number => Math.max(0, ...placed.map(end));
  return {
    boxes: placed,
    width: edge(({ x, width }) => x + width),
    height: edge(({ y, height }) => y + height),
  };
}

function onGrid(px: number): number {
  return Math.ceil(px / GRID) * GRID;
}
