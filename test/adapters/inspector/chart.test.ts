/** Charts of every machine as boxes and lines: nothing on top of anything that is to be read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_MACHINES } from '../../../machines/all-machines.js';
import { plainConfig } from '../../../src/adapters/inspector/definition.js';
import {
  activePaths,
  type ChartState,
  type Config,
  chartOf,
  statesOf,
} from '../../../src/adapters/inspector/page/chart.js';
import { type Box, boxesOf, layOut, wrapped } from '../../../src/adapters/inspector/page/layout.js';
import { type Point, type Route, routesOf } from '../../../src/adapters/inspector/page/routes.js';
import { chartOf as printedChartOf } from '../../../src/cli/machine-chart.js';

const overlap = (one: Box, other: Box): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;

const within = (inner: Box, outer: Box): boolean =>
  inner.x > outer.x &&
  inner.y >= outer.y + outer.headHeight &&
  inner.x + inner.width < outer.x + outer.width &&
  inner.y + inner.height < outer.y + outer.height;

function pointsAlong({ points }: Route): readonly Point[] {
  return points.flatMap((point, at) => {
    const next = points[at + 1];
    if (next === undefined) return [point];
    const steps = Math.max(Math.abs(next.x - point.x), Math.abs(next.y - point.y));
    return Array.from({ length: steps }, (_, step) => ({
      x: point.x + Math.sign(next.x - point.x) * step,
      y: point.y + Math.sign(next.y - point.y) * step,
    }));
  });
}

/** Inside the words of a box, its border not included. */
function isOnWords({ x, y }: Point, box: Box): boolean {
  const isLeaf = box.children.length === 0;
  const aside = isLeaf ? 0 : 16;
  const bottom = box.y + (isLeaf ? box.height : box.headHeight);
  return x > box.x + aside && x < box.x + box.width - aside && y > box.y && y < bottom;
}

function onBorder({ x, y }: Point, box: Box): boolean {
  const right = box.x + box.width;
  const bottom = box.y + box.height;
  const inX = x >= box.x && x <= right;
  const inY = y >= box.y && y <= bottom;
  return (inX && (y === box.y || y === bottom)) || (inY && (x === box.x || x === right));
}

for (const { machine, name } of ALL_MACHINES) {
  const chart: ChartState = chartOf(plainConfig(machine) as Config);
  for (const withActions of [false, true]) {
    const root = layOut(chart, { withActions, aspect: 1.25 });
    const boxes = boxesOf(root);

    test(`[CL-56] ${name}, actions ${withActions}: no two states overlap`, () => {
      for (const box of boxes) {
        for (const child of box.children) assert.ok(within(child, box), child.state.path);
        box.children.forEach((one, at) => {
          for (const other of box.children.slice(at + 1)) assert.ok(!overlap(one, other));
        });
      }
    });

    test(`[CL-57] ${name}, actions ${withActions}: every line leads home and crosses no words`, () => {
      const routes = routesOf(root);
      const wanted = boxes.flatMap(({ state }) =>
        state.rows.flatMap(({ targets }) => targets.filter((target) => target !== state.path)),
      );
      assert.equal(routes.length, wanted.length);
      for (const route of routes) {
        const boxAt = (path: string) => boxes.find(({ state }) => state.path === path) ?? root;
        const [first = { x: -1, y: -1 }] = route.points;
        assert.ok(onBorder(first, boxAt(route.from)), `${route.from} is where it begins`);
        assert.ok(onBorder(route.points.at(-1) ?? first, boxAt(route.to)), `${route.to} is met`);
        for (const point of pointsAlong(route)) {
          const over = boxes.find((box) => isOnWords(point, box));
          assert.equal(over?.state.path, undefined, `${route.from} to ${route.to}`);
        }
      }
    });
  }

  test(`[CL-57] ${name}: targets are the ones XState knows`, () => {
    const truth = printedChartOf(machine).states.map(({ path, transitions }) => [
      path,
      transitions.flatMap(({ targets }) => targets).sort(),
    ]);
    const seen = statesOf(chart).map(({ path, rows }) => [
      path,
      rows.flatMap(({ targets }) => targets).sort(),
    ]);
    assert.deepEqual(seen, truth);
  });
}

test('[CL-58] active states: nested and parallel ones, and what holds them', () => {
  assert.deepEqual(activePaths('a'), ['', 'a']);
  assert.deepEqual(activePaths({ a: { b: 'c', d: {} } }), ['', 'a', 'a.b', 'a.b.c', 'a.d']);
});

test('[CL-56] a long description: is cut after three lines, and says so', () => {
  assert.deepEqual(wrapped('one two three four', 7), ['one two', 'three', 'four']);
  assert.deepEqual(wrapped('a b c d e', 1), ['a', 'b', 'c…']);
});
