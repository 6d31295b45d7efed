/**
 * The page's heart: frames in, one model of what is known, views drawn from it at most once per frame
 * of the screen. Reconnects for as long as it is open; what was chosen stays chosen, over reloads too.
 */
import { createChartView } from './chart-view.js';
import { arranged, createEventList, drawActors, EVENTS_MAX } from './lists.js';
import { byId, spelled, valueText } from './parts.js';
import { createTree } from './tree-view.js';

/** Events of all actors that are kept; each list shows fewer. */
const KEPT_MAX = 10 * EVENTS_MAX;
const RETRY_MS = 1_500;

const sessions = new Map();
const chart = createChartView();
const drawEvents = createEventList();
const drawMemory = createTree(byId('memory'));
let events = [];
let count = 0;
let wanted = decodeURIComponent(location.hash.slice(1));
let drawing = false;
let memoryOf;

/** What was chosen and is there, or the first of the list. */
const chosen = () => {
  if (sessions.has(wanted)) return wanted;
  return arranged(sessions, byId('filter').value)[0]?.session.frame.sessionId;
};

const choose = (sessionId) => {
  wanted = sessionId;
  history.replaceState(null, '', `#${encodeURIComponent(sessionId)}`);
  draw();
};

const receive = {
  '@xstate.actor': (frame) => {
    sessions.set(frame.sessionId, { frame, snapshot: frame.snapshot });
  },
  '@xstate.event': ({ sessionId, event, createdAt, sourceId }) => {
    const session = sessions.get(sessionId);
    if (session === undefined) return;
    count += 1;
    const { name } = session.frame;
    session.record = { number: count, sessionId, name, event, createdAt, sourceId };
  },
  '@xstate.snapshot': ({ sessionId, snapshot, event }) => {
    const session = sessions.get(sessionId);
    if (session === undefined) return;
    const before = session.snapshot;
    const text = valueText(snapshot.value);
    if (text !== valueText(before.value)) {
      session.movedAt = performance.now();
      if (session.record !== undefined) session.record.became = text;
    }
    // An event is listed once it is known what came of it.
    if (session.record !== undefined) events.push(session.record);
    if (events.length > KEPT_MAX) events = events.slice(-KEPT_MAX / 2);
    if (event.type === 'crashed') session.crash = event;
    session.record = undefined;
    session.last = { type: event.type, before: before.value };
    session.before = before.context;
    session.snapshot = snapshot;
  },
  'switchyard.counters': ({ dropped, lost, hidden }) => {
    const parts = [
      [dropped, 'steps above the rate'],
      [lost, 'steps lost in a burst'],
      [hidden, 'steps of actors that have no place here'],
    ];
    const said = parts
      .filter(([number]) => number > 0)
      .map(([number, what]) => `${number} ${what}`);
    byId('counters').textContent = said.length === 0 ? '' : `not shown: ${said.join(', ')}`;
  },
  'switchyard.forgotten': ({ sessionId }) => {
    sessions.delete(sessionId);
  },
};

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawActors({ sessions, chosen: chosen(), choose });
    if (byId('pause').getAttribute('aria-pressed') !== 'true') {
      drawEvents(events, byId('everybody').checked ? undefined : (chosen() ?? ''), sessions);
    }
    drawChosen();
  });
}

function drawChosen() {
  const session = sessions.get(chosen());
  byId('title').replaceChildren(...spelled(session?.frame.name ?? ''));
  byId('state').textContent = session === undefined ? '' : valueText(session.snapshot.value);
  const isCrashed = session?.snapshot.status === 'error';
  byId('crash').hidden = !isCrashed;
  if (session === undefined) return;
  if (isCrashed) {
    const { error, message } = session.crash ?? {};
    const why = error === undefined ? '' : `: ${error}`;
    byId('crash').textContent = `crashed${message === undefined ? '' : ` on ${message}`}${why}`;
  }
  chart.show(session, byId('with-actions').checked);
  if (memoryOf === session.snapshot) return;
  memoryOf = session.snapshot;
  drawMemory(session.snapshot.context, session.before);
}

function say(state, text) {
  byId('link').className = `pill ${state}`;
  byId('link').textContent = text;
}

function connect() {
  const socket = new WebSocket(`ws://${location.host}/`);
  let fresh = true;
  socket.addEventListener('open', () => say('live', 'live'));
  socket.addEventListener('close', () => {
    say('away', 'no daemon, trying again');
    setTimeout(connect, RETRY_MS);
  });
  socket.addEventListener('message', ({ data }) => {
    // The first word of a new connection tells all that is known: what was known before is old.
    if (fresh) sessions.clear();
    fresh = false;
    const frame = JSON.parse(data);
    receive[frame.type]?.(frame);
    draw();
  });
}

function step(by) {
  const list = arranged(sessions, byId('filter').value).map(
    ({ session }) => session.frame.sessionId,
  );
  const at = list.indexOf(chosen());
  const next = by === 'first' ? 0 : by === 'last' ? list.length - 1 : at + by;
  const to = list[Math.min(list.length - 1, Math.max(0, next))];
  if (to === undefined) return;
  choose(to);
  requestAnimationFrame(() => byId(`actor:${to}`)?.scrollIntoView({ block: 'nearest' }));
}

const pause = () => {
  const button = byId('pause');
  button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
  draw();
};

const toggle = (id) => {
  byId(id).checked = !byId(id).checked;
  draw();
};

const LIST_KEYS = { ArrowDown: 1, ArrowUp: -1, Home: 'first', End: 'last' };
const CHART_KEYS = {
  ArrowLeft: [-60, 0],
  ArrowRight: [60, 0],
  ArrowUp: [0, -60],
  ArrowDown: [0, 60],
};
const KEYS = {
  '/': () => byId('filter').focus(),
  '+': () => chart.zoom(1.2),
  '=': () => chart.zoom(1.2),
  '-': () => chart.zoom(1 / 1.2),
  0: () => fit(),
  a: () => toggle('with-actions'),
  f: () => toggle('follow'),
  p: pause,
};

function fit() {
  byId('follow').checked = false;
  chart.fit();
}

byId('actors').addEventListener('keydown', (event) => {
  const by = LIST_KEYS[event.key];
  if (by === undefined) return;
  event.preventDefault();
  step(by);
});
byId('chart').addEventListener('keydown', (event) => {
  const by = CHART_KEYS[event.key];
  if (by === undefined) return;
  event.preventDefault();
  chart.move(...by);
});
document.addEventListener('keydown', (event) => {
  const isTyping = event.target.type === 'search';
  if (isTyping && event.key === 'Escape') {
    event.target.value = '';
    byId('actors').focus();
    draw();
  }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});
byId('filter').addEventListener('input', draw);
byId('everybody').addEventListener('change', draw);
byId('with-actions').addEventListener('change', draw);
byId('follow').addEventListener('change', () => byId('follow').checked && chart.follow());
byId('pause').addEventListener('click', pause);
byId('in').addEventListener('click', () => chart.zoom(1.2));
byId('out').addEventListener('click', () => chart.zoom(1 / 1.2));
byId('fit').addEventListener('click', fit);

if (new URLSearchParams(location.search).has('alone')) {
  byId('notice').hidden = false;
  byId('notice').textContent =
    'The Stately viewer did not answer; this page needs nothing but this daemon.';
}
connect();
