/**
 * The lines of a chart: from each transition's words to the state it leads to, around every box.
 *
 * Input: the boxes of a layout. Output: a path of corner points per transition with a target elsewhere.
 * Runs in the browser too: imports from beside it only.
 *
 * A line runs on the grid, never through words, turns as little as it can, keeps off other lines and
 * joins lines that end at the same state. Found with A* over grid points and directions, cheapest
 * transitions first. Rule: [CL-57] a line begins at its own state, ends at its target and crosses no
 * words.
 */
import { type Box, boxesOf, GRID } from './layout.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Route {
  /** Path of the state whose transition it is. */
  readonly from: string;
  readonly row: number;
  readonly to: string;
  /** Corners; the last one lies on the target's border. */
  readonly points: readonly Point[];
}

interface Wish {
  readonly from: Box;
  readonly row: number;
  readonly y: number;
  readonly to: Box;
  readonly distance: number;
}

export function routesOf(root: Box): readonly Route[] {
  const boxes = boxesOf(root);
  const byPath = new Map(boxes.map((box) => [box.state.path, box]));
  const field = createField(root, boxes);
  const wishes = boxes.flatMap((box) => wishesOf(box, byPath));
  return [...wishes]
    .sort((one, other) => one.distance - other.distance)
    .flatMap((wish) => {
      const points = field.route(wish);
      const { from, row, to } = wish;
      return points === undefined
        ? []
        : [{ from: from.state.path, row, to: to.state.path, points }];
    });
}

function wishesOf(from: Box, byPath: ReadonlyMap<string, Box>): readonly Wish[] {
  return from.state.rows.flatMap(({ targets }, row) => {
    const y = from.lines.find((line) => line.row === row)?.y ?? from.y;
    return targets.flatMap((path) => {
      const to = byPath.get(path);
      if (to === undefined || to === from) return [];
      return [{ from, row, y, to, distance: Math.abs(to.x - from.x) + Math.abs(to.y - y) }];
    });
  });
}

interface Field {
  route(wish: Wish): readonly Point[] | undefined;
}

/** Right, down, left, up. */
const DX = [1, 0, -1, 0] as const;
const DY = [0, 1, 0, -1] as const;
const STEP = 2;
const TURN = 10;
const SIDE_BY_SIDE = 1;
const OVERLAP = 30;
const CROSSING = 3;
const BORDER = 3;
const WORDS = 1;
const BORDERLINE = 2;

function createField(root: Box, boxes: readonly Box[]): Field {
  // A ring of free points around the chart, for lines that cannot go inside.
  const margin = 4;
  const columns = root.width / GRID + 1 + 2 * margin;
  const rows = root.height / GRID + 1 + 2 * margin;
  const at = (x: number, y: number): number => (y / GRID + margin) * columns + (x / GRID + margin);
  const ground = new Uint8Array(columns * rows);
  const flat = new Int32Array(columns * rows);
  const upright = new Int32Array(columns * rows);
  for (const box of boxes) mark(box, (x, y, kind) => ground.fill(kind, at(x, y), at(x, y) + 1));

  const search = createSearch({ columns, rows, ground, flat, upright });
  const targets = new Map(boxes.map((box, index) => [box, index + 1]));

  return {
    route: (wish) => {
      const mine = targets.get(wish.to) ?? 0;
      const isInside = contains(wish.from, wish.to);
      const starts = isInside
        ? [{ at: at(wish.from.x + GRID, wish.y), way: 1 }]
        : [
            { at: at(wish.from.x - GRID, wish.y), way: 2 },
            { at: at(wish.from.x + wish.from.width + GRID, wish.y), way: 0 },
          ];
      const ends = endsOf(wish.to, contains(wish.to, wish.from));
      const goals = new Map(ends.map(({ x, y, way }) => [at(x, y) * 4 + way, { x, y, way }]));
      const found = search(starts, goals, mine);
      if (found === undefined) return undefined;
      const inner = found.map((index) => ({
        x: ((index % columns) - margin) * GRID,
        y: (Math.floor(index / columns) - margin) * GRID,
      }));
      return cornersOf([...startOf(wish, inner[0], isInside), ...inner, ...endOf(wish.to, inner)]);
    },
  };
}

function contains(outer: Box, inner: Box): boolean {
  const { path } = outer.state;
  return path === '' || inner.state.path.startsWith(`${path}.`);
}

function mark(box: Box, set: (x: number, y: number, kind: number) => void): void {
  const isLeaf = box.children.length === 0;
  const right = box.x + box.width;
  const bottom = box.y + box.height;
  for (let y = box.y; y <= bottom; y += GRID) {
    for (let x = box.x; x <= right; x += GRID) {
      const isEdge = x === box.x || x === right || y === box.y || y === bottom;
      const inWords = y <= box.y + box.headHeight && x >= box.x + 2 * GRID && x <= right - 2 * GRID;
      if (isLeaf || inWords) set(x, y, WORDS);
      else if (isEdge) set(x, y, BORDERLINE);
    }
  }
}

interface End extends Point {
  readonly way: number;
}

/** Points beside the border, and the way that leads onto it. */
function endsOf(box: Box, fromInside: boolean): readonly End[] {
  const sign = fromInside ? -1 : 1;
  const ends: End[] = [];
  const right = box.x + box.width;
  const bottom = box.y + box.height;
  for (let y = box.y + GRID; y < Math.min(bottom, box.y + 4 * GRID); y += GRID) {
    ends.push({ x: box.x - GRID * sign, y, way: fromInside ? 2 : 0 });
    ends.push({ x: right + GRID * sign, y, way: fromInside ? 0 : 2 });
  }
  for (let x = box.x + 2 * GRID; x <= right - 2 * GRID; x += GRID) {
    if (!fromInside) ends.push({ x, y: box.y - GRID, way: 1 });
    ends.push({ x, y: bottom + GRID * sign, way: fromInside ? 1 : 3 });
  }
  return ends;
}

function startOf({ from, y }: Wish, first: Point | undefined, isInside: boolean): readonly Point[] {
  if (first === undefined) return [];
  if (isInside || first.x < from.x) return [{ x: from.x, y }];
  return [{ x: from.x + from.width, y }];
}

function endOf(to: Box, inner: readonly Point[]): readonly Point[] {
  const last = inner.at(-1);
  if (last === undefined) return [];
  const right = to.x + to.width;
  const bottom = to.y + to.height;
  if (last.x === to.x - GRID || last.x === right + GRID) {
    return [{ x: last.x < to.x ? to.x : right, y: last.y }];
  }
  if (last.y === to.y - GRID || last.y === bottom + GRID) {
    return [{ x: last.x, y: last.y < to.y ? to.y : bottom }];
  }
  // From the inside.
  if (last.y === bottom - GRID) return [{ x: last.x, y: bottom }];
  return [{ x: last.x === to.x + GRID ? to.x : right, y: last.y }];
}

/** Without the points in the middle of a straight line. */
function cornersOf(points: readonly Point[]): readonly Point[] {
  return points.filter((point, index) => {
    const before = points[index - 1];
    const after = points[index + 1];
    if (before === undefined || after === undefined) return true;
    const straightX = before.x === point.x && point.x === after.x;
    const straightY = before.y === point.y && point.y === after.y;
    return !straightX && !straightY;
  });
}

interface Ground {
  readonly columns: number;
  readonly rows: number;
  readonly ground: Uint8Array;
  /** Which target the line through a point leads to, by its direction; 0: none. */
  readonly flat: Int32Array;
  readonly upright: Int32Array;
}

interface Start {
  readonly at: number;
  readonly way: number;
}

type Search = (
  starts: readonly Start[],
  goals: ReadonlyMap<number, unknown>,
  target: number,
) => readonly number[] | undefined;

function createSearch({ columns, rows, ground, flat, upright }: Ground): Search {
  const size = columns * rows;
  const costs = new Int32Array(size * 4);
  const parents = new Int32Array(size * 4);

  const costOf = (index: number, way: number, target: number): number => {
    const along = way % 2 === 0 ? flat : upright;
    const across = way % 2 === 0 ? upright : flat;
    const mine = along[index] === target;
    const overlap = !mine && along[index] !== 0 ? OVERLAP : 0;
    const crossing = across[index] !== 0 && across[index] !== target ? CROSSING : 0;
    const border = ground[index] === BORDERLINE ? BORDER : 0;
    const aside = way % 2 === 0 ? columns : 1;
    const crowded = other(along, index - aside, target) || other(along, index + aside, target);
    return (mine ? 1 : STEP) + overlap + crossing + border + (crowded ? SIDE_BY_SIDE : 0);
  };

  const claim = (path: readonly number[], target: number): void => {
    path.forEach((index, step) => {
      const before = path[step - 1] ?? index;
      const after = path[step + 1] ?? index;
      if (Math.abs(before - index) === 1 || Math.abs(after - index) === 1) flat[index] = target;
      if (Math.abs(before - index) > 1 || Math.abs(after - index) > 1) upright[index] = target;
    });
  };

  return (starts, goals, target) => {
    costs.fill(2 ** 30);
    const queue = createQueue();
    for (const { at, way } of starts) {
      if (ground[at] === WORDS) continue;
      costs[at * 4 + way] = 0;
      parents[at * 4 + way] = -1;
      queue.push(at * 4 + way, 0);
    }
    for (;;) {
      const state = queue.pop();
      if (state === undefined) return undefined;
      if (goals.has(state)) {
        const path = pathTo(state, parents);
        claim(path, target);
        return path;
      }
      const index = state >> 2;
      const way = state & 3;
      const cost = costs[state] ?? 0;
      for (const turn of [0, 1, 3]) {
        const next = (way + turn) & 3;
        // A turn is made on the spot, so that a line ends facing its target.
        const to = turn === 0 ? index + (DX[next] ?? 0) + (DY[next] ?? 0) * columns : index;
        if (turn === 0 && isOutside(index, next, columns, rows)) continue;
        if (ground[to] === WORDS) continue;
        const sum = cost + (turn === 0 ? costOf(to, next, target) : TURN);
        if (sum >= (costs[to * 4 + next] ?? 0)) continue;
        costs[to * 4 + next] = sum;
        parents[to * 4 + next] = state;
        queue.push(to * 4 + next, sum);
      }
    }
  };
}

function other(lines: Int32Array, index: number, target: number): boolean {
  const there = lines[index] ?? 0;
  return there !== 0 && there !== target;
}

function isOutside(index: number, way: number, columns: number, rows: number): boolean {
  const column = index % columns;
  const row = Math.floor(index / columns);
  return (
    (way === 0 && column === columns - 1) ||
    (way === 2 && column === 0) ||
    (way === 1 && row === rows - 1) ||
    (way === 3 && row === 0)
  );
}

function pathTo(state: number, parents: Int32Array): readonly number[] {
  const path: number[] = [];
  for (let at = state; at >= 0; at = parents[at] ?? -1) {
    if (path.at(-1) !== at >> 2) path.push(at >> 2);
  }
  return path.reverse();
}

interface Queue {
  push(state: number, cost: number): void;
  pop(): number | undefined;
}

/** Costs are small whole numbers that only grow: a list per cost is the fastest queue. */
function createQueue(): Queue {
  const lists: number[][] = [];
  let lowest = 0;
  return {
    push: (state, cost) => {
      let list = lists[cost];
      if (list === undefined) {
        list = [];
        lists[cost] = list;
      }
      list.push(state);
    },
    pop: () => {
      while (lowest < lists.length) {
        const state = lists[lowest]?.pop();
        if (state !== undefined) return state;
        lowest += 1;
      }
      return undefined;
    },
  };
}
