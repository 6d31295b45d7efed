/** Small things every view needs: making elements, and saying things in few words. */

export const byId = (id) => document.getElementById(id);

/** Text becomes text: nothing in it can become markup. */
export function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

export function drawn(name, attributes, ...content) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...content);
  return made;
}

/** `creating.asked`, or `active: creates.open + resync.waiting`. */
export function valueText(value) {
  if (typeof value === 'string') return value;
  return Object.entries(value ?? {})
    .map(([key, inner]) => {
      const text = valueText(inner);
      if (text === '') return key;
      return text.includes(' + ') ? `${key} (${text})` : `${key}.${text}`;
    })
    .join(' + ');
}

export const kindOf = (address) => address.slice(0, Math.max(0, address.indexOf('/')));
export const keyOf = (address) => address.slice(address.indexOf('/') + 1);

/** What an actor is called beside its badge: of some kinds there is one, and `main` says nothing. */
export const labelOf = (address) => (keyOf(address) === 'main' ? kindOf(address) : keyOf(address));

/** Ids differ at their end: where there is no room for all of it, that end is kept. */
const END_CHARACTERS = 8;

/** Text that is cut in front of its end, by as much as its place demands. */
export function spelled(text) {
  const end = Math.max(0, text.length - END_CHARACTERS);
  return [element('span', 'head', text.slice(0, end)), element('span', 'end', text.slice(end))];
}

/** In the order of the loop, so that neighbours in the list work together. */
const KINDS = [
  ['tenancy', 'Tc', 265],
  ['tenant', 'Te', 290],
  ['group', 'Gr', 215],
  ['instance', 'In', 150],
  ['backend', 'Be', 185],
  ['frontend', 'Fr', 25],
  ['pool', 'Po', 50],
  ['lbsync', 'Lb', 350],
  ['reload', 'Re', 320],
  ['outbox', 'Ob', 90],
];

export function kindRank(address) {
  const rank = KINDS.findIndex(([kind]) => kind === kindOf(address));
  return rank < 0 ? KINDS.length : rank;
}

/** Two letters on the colour of the kind. */
export function kindBadge(address) {
  const kind = kindOf(address);
  const [, letters, hue] = KINDS.find(([name]) => name === kind) ?? [kind, kind.slice(0, 2), 0];
  const badge = element('span', 'kind', letters);
  badge.style.background = `hsl(${hue} 45% 42%)`;
  badge.title = kind;
  return badge;
}

export function timeText(createdAt) {
  const at = new Date(Number(createdAt));
  const two = (number) => String(number).padStart(2, '0');
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':');
  return `${clock}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

/** `xstate.after.NAME.state` is the timer of the delay NAME. */
export function triggerText(type) {
  const delay = /^xstate\.after\.([^.]+)\./.exec(type)?.[1];
  return delay === undefined ? type : `after ${delay}`;
}
