/**
 * A definition as a tree of states whose transitions know where they lead: what the layout places.
 *
 * Input: the configuration of a machine as plain data, from an actor frame. Output: states by path,
 * each with one row per transition. Runs in the browser too: no imports but types.
 *
 * Targets are resolved as XState does it: `name` is a sibling, `.name` a child, `#id` anywhere. A row
 * without a target changes memory only; one that leads to its own state is `own`.
 */

type Plain = string | number | boolean | null | readonly Plain[] | Config;
export interface Config {
  readonly [key: string]: Plain | undefined;
}

export interface Row {
  /** The event, `after DELAY`, or `always`. */
  readonly trigger: string;
  readonly guard?: string;
  readonly actions: readonly string[];
  /** Paths of states. */
  readonly targets: readonly string[];
  readonly description?: string;
}

export interface ChartState {
  /** Names from the machine's own down, joined by dots; the machine is the empty path. */
  readonly path: string;
  readonly name: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly description: string;
  readonly isInitial: boolean;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly rows: readonly Row[];
  readonly children: readonly ChartState[];
}

export function chartOf(config: Config): ChartState {
  const ids = new Map<string, string>();
  collectIds(config, { path: '', id: text(config['id']) || 'machine' }, ids);
  return stateOf({ name: text(config['id']), path: '', config, isInitial: false }, ids);
}

/** Every state of a chart, outer ones first. */
export function statesOf(state: ChartState): readonly ChartState[] {
  return [state, ...state.children.flatMap(statesOf)];
}

/** Paths of the active states of a snapshot's value, the machine itself among them. */
export function activePaths(value: unknown, path = ''): readonly string[] {
  if (typeof value === 'string') return [path, joined(path, value)];
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([name, part]) =>
    activePaths(part, joined(path, name)),
  );
  return [path, ...inner];
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}

interface Place {
  readonly path: string;
  readonly id: string;
}

function collectIds(config: Config, { path, id }: Place, ids: Map<string, string>): void {
  ids.set(id, path);
  if (typeof config['id'] === 'string') ids.set(config['id'], path);
  for (const [name, child] of Object.entries(statesIn(config))) {
    collectIds(child, { path: joined(path, name), id: `${id}.${name}` }, ids);
  }
}

function statesIn(config: Config): Readonly<Record<string, Config>> {
  return (config['states'] ?? {}) as Readonly<Record<string, Config>>;
}

interface Source {
  readonly name: string;
  readonly path: string;
  readonly config: Config;
  readonly isInitial: boolean;
}

function stateOf(source: Source, ids: ReadonlyMap<string, string>): ChartState {
  const { name, path, config, isInitial } = source;
  const inner = Object.entries(statesIn(config));
  return {
    path,
    name,
    type: typeOf(config, inner.length > 0),
    description: text(config['description']),
    isInitial,
    entry: namesOf(config['entry']),
    exit: namesOf(config['exit']),
    rows: rowsOf(path, config, ids),
    children: inner.map(([key, child]) => {
      const isFirst = config['initial'] === key;
      return stateOf(
        { name: key, path: joined(path, key), config: child, isInitial: isFirst },
        ids,
      );
    }),
  };
}

function typeOf(config: Config, hasStates: boolean): ChartState['type'] {
  const { type } = config as { readonly type?: string };
  if (type === 'parallel' || type === 'final' || type === 'history') return type;
  return hasStates ? 'compound' : 'atomic';
}

function rowsOf(path: string, config: Config, ids: ReadonlyMap<string, string>): readonly Row[] {
  const triggered = (moves: Plain | undefined, prefix: string): readonly Row[] =>
    Object.entries((moves ?? {}) as Config).flatMap(([name, some]) =>
      listOf(some).map((move) => rowOf(`${prefix}${name}`, { move, path, ids })),
    );
  return [
    ...triggered(config['on'], ''),
    ...triggered(config['after'], 'after '),
    ...listOf(config['always']).map((move) => rowOf('always', { move, path, ids })),
    ...listOf(config['onDone']).map((move) => rowOf('done', { move, path, ids })),
  ];
}

interface Move {
  readonly move: Plain;
  readonly path: string;
  readonly ids: ReadonlyMap<string, string>;
}

function rowOf(trigger: string, { move, path, ids }: Move): Row {
  const parts = typeof move === 'string' ? { target: move } : (move as Config);
  const { guard, description } = parts;
  return {
    trigger,
    ...(guard === undefined ? {} : { guard: nameOf(guard) }),
    actions: namesOf(parts['actions']),
    targets: listOf(parts['target']).flatMap((target) => resolved(text(target), path, ids) ?? []),
    ...(typeof description === 'string' ? { description } : {}),
  };
}

function resolved(
  target: string,
  path: string,
  ids: ReadonlyMap<string, string>,
): string | undefined {
  if (target.startsWith('.')) return joined(path, target.slice(1));
  if (!target.startsWith('#')) return joined(parentOf(path), target);
  // An id may hold dots itself: the longest one that is known wins.
  for (let end = target.length; end > 0; end = target.lastIndexOf('.', end - 1)) {
    const base = ids.get(target.slice(1, end));
    const rest = target.slice(end + 1);
    if (base !== undefined) return rest === '' ? base : joined(base, rest);
  }
  return undefined;
}

function listOf(value: Plain | undefined): readonly Plain[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value as Plain];
}

function namesOf(value: Plain | undefined): readonly string[] {
  return listOf(value).map(nameOf);
}

function nameOf(word: Plain): string {
  return typeof word === 'object' && word !== null ? text((word as Config)['type']) : String(word);
}

function text(value: Plain | undefined): string {
  return typeof value === 'string' ? value : '';
}
