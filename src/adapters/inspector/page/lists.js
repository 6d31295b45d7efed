/** The list of actors, instances below their group, and the list of events, newest first. */
import {
  byId,
  element,
  keyOf,
  kindBadge,
  kindOf,
  kindRank,
  labelOf,
  spelled,
  timeText,
  triggerText,
  valueText,
} from './parts.js';
import { createTree } from './tree-view.js';

/** Events shown; more are kept by nobody. */
export const EVENTS_MAX = 300;

/** Sessions in the order of the list, each with whether it stands below its parent. */
export function arranged(sessions, filter) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = ({ frame, snapshot }) => {
    const text = `${frame.name} ${valueText(snapshot.value)} ${snapshot.status}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const shown = [...sessions.values()].filter(matches);
  const ids = new Set(shown.map(({ frame }) => frame.sessionId));
  const order = (one, other) =>
    kindRank(one.frame.name) - kindRank(other.frame.name) ||
    (one.frame.name < other.frame.name ? -1 : 1);
  const isChild = ({ frame }) => ids.has(frame.parentId);
  const below = (id) => shown.filter(({ frame }) => frame.parentId === id).sort(order);
  return shown
    .filter((session) => !isChild(session))
    .sort(order)
    .flatMap((session) => [
      { session, depth: 0 },
      ...below(session.frame.sessionId).map((child) => ({ session: child, depth: 1 })),
    ]);
}

/** Ids differ at their end. */
const shortened = (key) => (key.length <= 26 ? key : `${key.slice(0, 8)}…${key.slice(-14)}`);

/** A moment ago is a short while for eyes. */
const JUST_MS = 1_500;

export function drawActors({ sessions, chosen, choose }) {
  const now = performance.now();
  const list = byId('actors');
  const rows = arranged(sessions, byId('filter').value).map(({ session, depth }) => {
    const { frame, movedAt, snapshot } = session;
    const isCrashed = snapshot.status === 'error';
    const classes = [
      'actor',
      depth > 0 ? 'child' : '',
      isCrashed ? 'crashed' : '',
      movedAt !== undefined && now - movedAt < JUST_MS ? 'just' : '',
    ];
    const row = element(
      'div',
      classes.filter(Boolean).join(' '),
      kindBadge(frame.name),
      element('span', 'name', ...spelled(labelOf(frame.name))),
      element('span', 'mark', isCrashed ? 'crashed' : ''),
      element('span', 'stands', valueText(snapshot.value)),
    );
    row.id = `actor:${frame.sessionId}`;
    row.title = `${frame.name} on ${frame.sessionId.slice(0, -frame.name.length - 1)}`;
    row.setAttribute('role', 'option');
    row.setAttribute(
      'aria-label',
      `${kindOf(frame.name)} ${keyOf(frame.name)}, ${valueText(snapshot.value)}${isCrashed ? ', crashed' : ''}`,
    );
    row.setAttribute('aria-selected', String(frame.sessionId === chosen));
    row.addEventListener('click', () => choose(frame.sessionId));
    return row;
  });
  list.replaceChildren(...rows);
  list.setAttribute('aria-activedescendant', chosen === undefined ? '' : `actor:${chosen}`);
}

function sourceText(sourceId, sessions) {
  if (sourceId === undefined) return '';
  return sessions.get(sourceId)?.frame.name ?? sourceId;
}

/** @returns a function that shows the newest of `events` that belong to `of` (undefined: to anybody). */
export function createEventList() {
  const list = byId('events');
  let shownOf;
  let last = 0;

  const item = (record, sessions) => {
    const { became, createdAt, event, name, sourceId, sessionId } = record;
    const from = sourceText(sourceId, sessions);
    const source =
      from === '' || from === 'reload/outside'
        ? 'from outside'
        : from === name
          ? 'from itself'
          : `from ${from}`;
    const summary = element(
      'summary',
      '',
      element('time', 'dim', timeText(createdAt)),
      element('span', 'what', triggerText(event.type)),
      element('span', 'who', shownOf === undefined ? `${shortened(name)}, ${source}` : source),
    );
    if (became !== undefined) summary.append(element('span', 'became', `→ ${became}`));
    const details = element('details', '', summary);
    details.addEventListener('toggle', () => {
      if (!details.open || details.childElementCount > 1) return;
      const holder = element('div', '');
      createTree(holder)(event);
      details.append(holder);
    });
    const row = element('li', event.type === 'crashed' ? 'crashed' : '', details);
    row.dataset.session = sessionId;
    return row;
  };

  return (events, of, sessions) => {
    if (of !== shownOf) {
      list.replaceChildren();
      last = 0;
    }
    shownOf = of;
    const fresh = events
      .filter(({ number, sessionId }) => number > last && (of === undefined || sessionId === of))
      .slice(-EVENTS_MAX);
    last = events.at(-1)?.number ?? last;
    list.prepend(...fresh.map((record) => item(record, sessions)).reverse());
    while (list.childElementCount > EVENTS_MAX) list.lastElementChild.remove();
  };
}
