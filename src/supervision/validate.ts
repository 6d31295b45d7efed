/**
 * Checks a whole supervision tree before the first child starts. Every defect is found, each has a
 * code and the path of where it is. `essential` and `temporary` exclude each other: what is never
 * started again cannot be needed.
 */
import { fail, ok, type Result } from '../../machines/model/result.js';
import { TREE_CHILDREN_MAX, TREE_DEPTH_MAX } from './limits.js';
import { type Backoff, type ChildSpec, RESTARTS, STRATEGIES, type SupervisorSpec } from './spec.js';

export type SpecDefectCode =
  | 'strategy-unknown'
  | 'intensity-invalid'
  | 'period-invalid'
  | 'backoff-invalid'
  | 'children-missing'
  | 'children-too-many'
  | 'tree-too-deep'
  | 'id-invalid'
  | 'id-duplicate'
  | 'restart-unknown'
  | 'shutdown-invalid'
  | 'essential-temporary';

export interface SpecDefect {
  readonly code: SpecDefectCode;
  /** Path of the supervisor or child; empty for the root. */
  readonly path: string;
}

const ID = /^[a-z][a-z0-9-]*$/;

export function validateSpec<Start>(
  spec: SupervisorSpec<Start>,
): Result<SupervisorSpec<Start>, readonly SpecDefect[]> {
  const defects = defectsOf(spec, [], 1);
  return defects.length === 0 ? ok(spec) : fail(defects);
}

type Path = readonly string[];

function defectsOf<Start>(
  spec: SupervisorSpec<Start>,
  path: Path,
  depth: number,
): readonly SpecDefect[] {
  const { strategy, intensity, periodMs, children } = spec;
  const has = (broken: boolean, code: SpecDefectCode): readonly SpecDefect[] =>
    broken ? [{ code, path: path.join('/') }] : [];
  if (depth > TREE_DEPTH_MAX) return has(true, 'tree-too-deep');
  return [
    ...has(!STRATEGIES.includes(strategy), 'strategy-unknown'),
    ...has(!Number.isSafeInteger(intensity) || intensity < 0, 'intensity-invalid'),
    ...has(!Number.isFinite(periodMs) || periodMs <= 0, 'period-invalid'),
    ...has(spec.backoff !== undefined && !isBackoff(spec.backoff), 'backoff-invalid'),
    ...has(children.length === 0, 'children-missing'),
    ...has(children.length > TREE_CHILDREN_MAX, 'children-too-many'),
    ...children.flatMap((child, index) => {
      const twin = children.findIndex(({ id }) => id === child.id) < index;
      const place: SpecDefect = { code: 'id-duplicate', path: [...path, child.id].join('/') };
      return [...(twin ? [place] : []), ...childDefectsOf(child, path, depth)];
    }),
  ];
}

function childDefectsOf<Start>(
  child: ChildSpec<Start>,
  above: Path,
  depth: number,
): readonly SpecDefect[] {
  const path = [...above, child.id];
  const has = (broken: boolean, code: SpecDefectCode): readonly SpecDefect[] =>
    broken ? [{ code, path: path.join('/') }] : [];
  return [
    ...has(!ID.test(child.id), 'id-invalid'),
    ...has(!RESTARTS.includes(child.restart), 'restart-unknown'),
    ...has(child.essential && child.restart === 'temporary', 'essential-temporary'),
    ...('supervisor' in child
      ? defectsOf(child.supervisor, path, depth + 1)
      : has(!isShutdown(child.shutdownMs), 'shutdown-invalid')),
  ];
}

function isShutdown(shutdownMs: number | 'brutal'): boolean {
  return shutdownMs === 'brutal' || (Number.isFinite(shutdownMs) && shutdownMs > 0);
}

function isBackoff({ baseMs, maxMs, jitter = 0 }: Backoff): boolean {
  return baseMs > 0 && Number.isFinite(maxMs) && maxMs >= baseMs && jitter >= 0 && jitter <= 1;
}
