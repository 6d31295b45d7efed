/**
 * A chart as a Mermaid state diagram (`stateDiagram-v2`).
 *
 * Edges are drawn between states of which neither contains the other: Mermaid cannot draw the rest, so
 * a transition into or out of an own part, and one that leaves nothing, stands as a line in its state.
 */
import type { Chart, ChartState, ChartTransition } from './machine-chart.js';

export function mermaidOf(chart: Chart): string {
  return ['stateDiagram-v2', ...blockOf(chart, '', '  '), ...edgesOf(chart), ''].join('\n');
}

/** The states directly inside `parent`, each with its own inside. */
function blockOf(chart: Chart, parent: string, indent: string): readonly string[] {
  const inside = chart.states.filter(({ path }) => path !== '' && parentOf(path) === parent);
  const self = chart.states.find(({ path }) => path === parent);
  const initial = self?.initial;
  const start = initial === undefined ? [] : [`${indent}[*] --> ${idOf(join(parent, initial))}`];
  const separator = self?.type === 'parallel' ? [`${indent}--`] : [];
  const blocks = inside.map((state) => stateLines(chart, state, indent));
  return [
    ...start,
    ...blocks.flatMap((block, at) => (at === 0 ? block : [...separator, ...block])),
  ];
}

function stateLines(chart: Chart, state: ChartState, indent: string): readonly string[] {
  const id = idOf(state.path);
  const declared = `${indent}state "${plain(nameOf(state.path))}" as ${id}`;
  const notes = notesOf(state).map((note) => `${indent}  ${note}`);
  const final = state.type === 'final' ? [`${indent}${id} --> [*]`] : [];
  const own =
    notes.length === 0 ? [] : [`${indent}note right of ${id}`, ...notes, `${indent}end note`];
  const inside = blockOf(chart, state.path, `${indent}  `);
  const block = inside.length === 0 ? [declared] : [`${declared} {`, ...inside, `${indent}}`];
  return [...block, ...own, ...final];
}

function notesOf({ description, entry, exit, path, transitions }: ChartState): readonly string[] {
  return [
    ...(description === undefined ? [] : [plain(description)]),
    ...(entry.length === 0 ? [] : [plain(`on entry ${entry.join(', ')}`)]),
    ...(exit.length === 0 ? [] : [plain(`on exit ${exit.join(', ')}`)]),
    ...transitions
      .filter((transition) => !isEdge(path, transition))
      .map((transition) => plain(noteOf(transition))),
  ];
}

function noteOf(transition: ChartTransition): string {
  const targets = transition.targets.map(nameOf).join(', ');
  return `${labelOf(transition)}${targets === '' ? '' : ` to ${targets}`}`;
}

function edgesOf({ states }: Chart): readonly string[] {
  return states.flatMap(({ path, transitions }) =>
    transitions
      .filter((transition) => isEdge(path, transition))
      .flatMap((transition) =>
        transition.targets.map(
          (target) => `  ${idOf(path)} --> ${idOf(target)} : ${plain(labelOf(transition))}`,
        ),
      ),
  );
}

function isEdge(source: string, { targets }: ChartTransition): boolean {
  return targets.length > 0 && targets.every((target) => !related(source, target));
}

function related(one: string, other: string): boolean {
  return contains(one, other) || contains(other, one);
}

function contains(outer: string, inner: string): boolean {
  return outer === '' || inner === outer || inner.startsWith(`${outer}.`);
}

function labelOf({ actions, guard, on }: ChartTransition): string {
  const when = guard === undefined ? '' : ` [${guard}]`;
  return `${on}${when}${actions.length === 0 ? '' : ` / ${actions.join(', ')}`}`;
}

function idOf(path: string): string {
  return path.replaceAll('.', '__').replaceAll(/[^A-Za-z0-9_]/g, '_');
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}

function join(parent: string, key: string): string {
  return parent === '' ? key : `${parent}.${key}`;
}

/** What would end a label, a name or a line of Mermaid. */
function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[";{}#<>]/g, ' ')
    .replaceAll(':', ' ')
    .trim();
}
