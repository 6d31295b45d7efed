/**
 * JSON as a tree that opens and closes. What was opened stays open from one snapshot to the next, and
 * what changed since the last one is marked.
 */
import { element } from './parts.js';

/** Levels that are open before anybody opened any. */
const OPEN_LEVELS = 2;

/** @returns a function that shows a value in `holder`. */
export function createTree(holder) {
  const choices = new Map();

  const leaf = (value) => {
    if (typeof value === 'string') return element('span', 'text', JSON.stringify(value));
    if (value === null || value === undefined) return element('span', 'none', 'null');
    if (typeof value === 'object')
      return element('span', 'none', Array.isArray(value) ? '[]' : '{}');
    return element('span', 'number', String(value));
  };

  const branch = (name, value, before, path) => {
    const entries = Object.entries(value);
    const made = element('details', '');
    const level = path.split('\n').length;
    made.open = choices.get(path) ?? (level <= OPEN_LEVELS && entries.length <= 40);
    const size = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
    const summary = element('summary', '', element('span', 'key', name), ' ');
    summary.append(element('span', 'none', size));
    made.append(summary);
    const fill = () => {
      if (made.childElementCount > 1) return;
      for (const [key, inner] of entries)
        made.append(node(key, inner, before?.[key], `${path}\n${key}`));
    };
    if (made.open) fill();
    made.addEventListener('toggle', () => {
      choices.set(path, made.open);
      if (made.open) fill();
    });
    return made;
  };

  const node = (name, value, before, path) => {
    if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
      return branch(name, value, before, path);
    }
    const changed = before !== undefined && JSON.stringify(before) !== JSON.stringify(value);
    return element(
      'div',
      changed ? 'changed' : '',
      element('span', 'key', `${name}: `),
      leaf(value),
    );
  };

  return (value, before) => {
    const shown = Object.entries(value ?? {}).map(([key, inner]) =>
      node(key, inner, before?.[key], key),
    );
    const top = element('div', 'tree', ...shown);
    if (shown.length === 0) top.append(element('span', 'none', 'empty'));
    const { scrollTop } = holder;
    holder.replaceChildren(top);
    holder.scrollTop = scrollTop;
  };
}
