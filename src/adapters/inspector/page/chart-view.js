/**
 * The chart on the screen: drawn once per definition, then only lit. Zoomed and moved by mouse, wheel,
 * keys and buttons; it follows the active state while nobody moves it by hand.
 */
import { activePaths, chartOf } from './chart.js';
import { boxesOf, layOut } from './layout.js';
import { byId, drawn } from './parts.js';
import { routesOf } from './routes.js';

const SCALE_MIN = 0.2;
const SCALE_MAX = 2.5;
/** Smaller than this, words cannot be read: the chart is then shown in part. */
const SCALE_READABLE = 0.8;
const MARGIN = 24;
/** Charts kept drawn. */
const DRAWN_MAX = 12;

export function createChartView() {
  const holder = byId('chart');
  const charts = new Map();
  const view = { x: 0, y: 0, scale: 1 };
  let current;

  const apply = () => {
    if (current === undefined) return;
    const { clientHeight, clientWidth } = holder;
    const box = [view.x, view.y, clientWidth / view.scale, clientHeight / view.scale];
    current.svg.setAttribute('viewBox', box.map((number) => number.toFixed(1)).join(' '));
  };

  const fitScale = () => {
    const { width, height } = current.root;
    const { clientHeight, clientWidth } = holder;
    return Math.min(clientWidth / (width + 2 * MARGIN), clientHeight / (height + 2 * MARGIN), 1.3);
  };

  const centre = (x, y) => {
    view.x = x - holder.clientWidth / view.scale / 2;
    view.y = y - holder.clientHeight / view.scale / 2;
    apply();
  };

  const fit = () => {
    if (current === undefined) return;
    view.scale = fitScale();
    centre(current.root.width / 2, current.root.height / 2);
  };

  /** The larger part of what is active, with a look at what is around. */
  const follow = () => {
    if (current === undefined) return;
    view.scale = Math.max(fitScale(), SCALE_READABLE);
    const lit = current.boxes.filter(
      ({ state }) => state.children.length === 0 && current.lit.has(state.path),
    );
    const boxes = lit.length > 0 ? lit : [current.root];
    const middle = (start, size) =>
      (Math.min(...boxes.map((box) => box[start])) +
        Math.max(...boxes.map((box) => box[start] + box[size]))) /
      2;
    // No farther than the chart's own edge, where there is nothing to see.
    const held = (at, all, shown) =>
      all + 2 * MARGIN <= shown
        ? all / 2
        : Math.min(Math.max(at, shown / 2 - MARGIN), all - shown / 2 + MARGIN);
    centre(
      held(middle('x', 'width'), current.root.width, holder.clientWidth / view.scale),
      held(middle('y', 'height'), current.root.height, holder.clientHeight / view.scale),
    );
  };

  const zoom = (factor, at = { x: 0.5, y: 0.5 }) => {
    const scale = Math.min(SCALE_MAX, Math.max(SCALE_MIN, view.scale * factor));
    view.x += (holder.clientWidth * at.x) / view.scale - (holder.clientWidth * at.x) / scale;
    view.y += (holder.clientHeight * at.y) / view.scale - (holder.clientHeight * at.y) / scale;
    view.scale = scale;
    byId('follow').checked = false;
    apply();
  };

  const move = (dx, dy) => {
    view.x += dx / view.scale;
    view.y += dy / view.scale;
    byId('follow').checked = false;
    apply();
  };

  holder.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const { left, top } = holder.getBoundingClientRect();
      const at = {
        x: (event.clientX - left) / holder.clientWidth,
        y: (event.clientY - top) / holder.clientHeight,
      };
      zoom(event.deltaY < 0 ? 1.12 : 1 / 1.12, at);
    },
    { passive: false },
  );
  holder.addEventListener('pointermove', (event) => {
    if (event.buttons === 1) move(-event.movementX, -event.movementY);
  });
  new ResizeObserver(() => (byId('follow').checked ? follow() : apply())).observe(holder);

  const chartFor = (definition, withActions) => {
    const key = `${withActions} ${definition}`;
    const known = charts.get(key) ?? drawChart(JSON.parse(definition), withActions);
    charts.delete(key);
    charts.set(key, known);
    for (const old of charts.keys()) if (charts.size > DRAWN_MAX) charts.delete(old);
    return known;
  };

  return {
    fit,
    zoom,
    move,
    follow,
    /** Shows how the actor stands; `last` is what it did last, with where it stood before. */
    show: ({ frame, snapshot, last }, withActions) => {
      const shown = chartFor(frame.definition, withActions);
      const changed = current !== shown;
      current = shown;
      if (changed) holder.replaceChildren(shown.svg);
      const moved = light(shown, snapshot, last);
      if ((changed || moved) && byId('follow').checked) follow();
      else if (changed) fit();
    },
    clear: () => {
      current = undefined;
      holder.replaceChildren(byId('empty') ?? '');
    },
  };
}

/** @returns whether other states are active than before. */
function light(chart, snapshot, last) {
  const lit = new Set(activePaths(snapshot.value));
  const moved = lit.size !== chart.lit.size || [...lit].some((path) => !chart.lit.has(path));
  chart.lit = lit;
  const taken = takenBy(chart, last, lit);
  chart.svg.classList.toggle('crashed', snapshot.status === 'error');
  for (const [path, group] of chart.groups) group.classList.toggle('lit', lit.has(path));
  for (const { key, group } of chart.rows) group.classList.toggle('just', taken.has(key));
  for (const { from, key, group } of chart.routes) {
    group.classList.toggle('just', taken.has(key));
    group.classList.toggle('ready', lit.has(from));
  }
  return moved;
}

/**
 * Which transition it was is not told: of those that the event could take, deepest state first, the
 * one whose target is active now.
 */
function takenBy({ boxes }, last, lit) {
  if (last === undefined) return new Set();
  const before = new Set(activePaths(last.before));
  const delay = /^xstate\.after\.([^.]+)\./.exec(last.type)?.[1];
  const trigger = delay === undefined ? last.type : `after ${delay}`;
  for (const { state } of [...boxes].reverse()) {
    if (!before.has(state.path)) continue;
    const at = state.rows.findIndex(
      (row) => row.trigger === trigger && row.targets.every((target) => lit.has(target)),
    );
    if (at >= 0) return new Set([`${state.path}#${at}`]);
  }
  return new Set();
}

function drawChart(config, withActions) {
  const root = layOut(chartOf(config), { withActions, aspect: 1.25 });
  const boxes = boxesOf(root);
  const groups = new Map();
  const rows = [];
  const under = drawn('g', {});
  const lines = drawn('g', {});
  const over = drawn('g', {});
  const routes = routesOf(root).map((route) => {
    const group = routeGroup(route);
    lines.append(group);
    return { from: route.from, key: `${route.from}#${route.row}`, group };
  });
  const point = (key, on) => {
    for (const route of routes) if (route.key === key) route.group.classList.toggle('pointed', on);
  };
  for (const box of boxes) {
    const group = boxGroup(box);
    groups.set(box.state.path, group);
    // Lines run above what holds states, and below the words of all.
    (box.children.length > 0 ? under : over).append(group);
    for (const made of rowGroups(box)) {
      rows.push(made);
      over.append(made.group);
      made.group.addEventListener('pointerenter', () => point(made.key, true));
      made.group.addEventListener('pointerleave', () => point(made.key, false));
    }
    if (box.state.isInitial) over.append(startMark(box));
  }
  const svg = drawn(
    'svg',
    { role: 'img', 'aria-label': `chart of ${root.state.name}` },
    under,
    lines,
    over,
  );
  return { svg, root, boxes, groups, rows, routes, lit: new Set() };
}

function boxGroup({ children, height, lines, state, width, x, y }) {
  const classes = ['box', children.length > 0 ? 'outer' : 'leaf', state.type];
  if (state.path === '') classes.push('root');
  const group = drawn('g', { class: classes.join(' ') }, drawn('rect', { x, y, width, height }));
  group.dataset.path = state.path;
  if (state.type === 'final') {
    group.append(
      drawn('rect', { class: 'second', x: x + 4, y: y + 4, width: width - 8, height: height - 8 }),
    );
  }
  if (state.type === 'parallel') group.classList.add('parallel');
  group.append(
    drawn('text', { class: 'name', x: x + 16, y: y + 17 }, state.name),
    ...lines
      .filter(({ row }) => row === undefined)
      .map((line) => drawn('text', { class: line.kind, x: x + 16, y: line.y }, line.text)),
  );
  const said = [state.description, listed('entry', state.entry), listed('exit', state.exit)];
  group.append(drawn('title', {}, said.filter(Boolean).join('\n')));
  return group;
}

const listed = (word, names) => (names.length === 0 ? '' : `${word}: ${names.join(', ')}`);

function rowGroups({ lines, state, width, x }) {
  return state.rows.map((row, at) => {
    const mine = lines.filter((line) => line.row === at);
    const top = mine[0].y - 8;
    const group = drawn(
      'g',
      { class: 'row' },
      drawn('rect', { x: x + 12, y: top, width: width - 24, height: mine.length * 16 }),
      ...mine.map((line) => rowText(line, row, x)),
    );
    const said = [
      `${row.trigger}${row.guard === undefined ? '' : ` [${row.guard}]`}`,
      row.targets.length === 0 ? 'stays as it is' : `to ${row.targets.join(', ') || state.name}`,
      listed('actions', row.actions),
      row.description ?? '',
    ];
    group.append(drawn('title', {}, said.filter(Boolean).join('\n')));
    return { key: `${state.path}#${at}`, group };
  });
}

function rowText({ kind, text, y }, row, x) {
  if (kind !== 'row') return drawn('text', { class: kind, x: x + 16, y }, text);
  const rest = text.slice(row.trigger.length);
  const own = row.targets.length === 1 && row.targets[0] === undefined ? '' : rest;
  return drawn(
    'text',
    { x: x + 16, y },
    drawn('tspan', { class: 'trigger' }, text.slice(0, row.trigger.length)),
    drawn('tspan', { class: 'guard' }, own),
  );
}

/** A dot and a short arrow at the state that is entered first. */
function startMark({ x, y }) {
  const at = y + 12;
  return drawn(
    'g',
    { class: 'start' },
    drawn('circle', { cx: x - 14, cy: at, r: 4 }),
    drawn('path', {
      d: `M ${x - 10} ${at} L ${x} ${at} M ${x - 5} ${at - 4} L ${x} ${at} L ${x - 5} ${at + 4}`,
    }),
  );
}

const CORNER = 6;

function routeGroup({ points }) {
  const group = drawn('g', { class: 'route' }, drawn('path', { d: rounded(points) }));
  const end = points.at(-1);
  const before = points.at(-2);
  const way = { x: Math.sign(end.x - before.x), y: Math.sign(end.y - before.y) };
  const side = { x: way.y, y: way.x };
  const tip = [0, 1, -1].map((to) =>
    to === 0
      ? `${end.x},${end.y}`
      : `${end.x - way.x * 7 + side.x * 4 * to},${end.y - way.y * 7 + side.y * 4 * to}`,
  );
  group.append(drawn('polygon', { points: tip.join(' ') }));
  return group;
}

function rounded(points) {
  const [first, ...rest] = points;
  const parts = [`M ${first.x} ${first.y}`];
  rest.forEach((point, at) => {
    const before = points[at];
    const after = rest[at + 1];
    if (after === undefined) parts.push(`L ${point.x} ${point.y}`);
    else {
      const into = toward(point, before);
      const out = toward(point, after);
      parts.push(`L ${into.x} ${into.y} Q ${point.x} ${point.y} ${out.x} ${out.y}`);
    }
  });
  return parts.join(' ');
}

function toward(from, to) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const part = Math.min(CORNER, Math.hypot(dx, dy) / 2) / Math.hypot(dx, dy);
  return { x: from.x + dx * part, y: from.y + dy * part };
}
