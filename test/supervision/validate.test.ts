/** A tree is checked whole before anything starts: one code for each way it can be wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChildSpec, SupervisorSpec } from '../../src/supervision/spec.js';
import { validateSpec } from '../../src/supervision/validate.js';

const CHILD = {
  id: 'a',
  start: 'a',
  restart: 'permanent',
  essential: false,
  shutdownMs: 100,
} as const satisfies ChildSpec<string>;

const SPEC: SupervisorSpec<string> = {
  strategy: 'one-for-one',
  intensity: 3,
  periodMs: 5_000,
  children: [CHILD],
};

function above(supervisor: SupervisorSpec<string>, levels: number): SupervisorSpec<string> {
  if (levels === 0) return supervisor;
  const child = { id: 's', restart: 'permanent', essential: false, supervisor } as const;
  return above({ ...SPEC, children: [child] }, levels - 1);
}

test('[SU-8] spec: a sound tree is given back as it is', () => {
  const tree = above(SPEC, 7);
  assert.deepEqual(validateSpec(tree), { ok: true, value: tree });
  const brutal = { ...SPEC, intensity: 0, children: [{ ...CHILD, shutdownMs: 'brutal' as const }] };
  assert.equal(validateSpec(brutal).ok, true);
});

const child = (change: object): SupervisorSpec<string> =>
  ({ ...SPEC, children: [{ ...CHILD, ...change }] }) as SupervisorSpec<string>;
const root = (change: object): SupervisorSpec<string> =>
  ({ ...SPEC, ...change }) as SupervisorSpec<string>;

const broken: readonly {
  readonly code: string;
  readonly path: string;
  readonly spec: SupervisorSpec<string>;
}[] = [
  { code: 'strategy-unknown', path: '', spec: root({ strategy: 'simple-one-for-one' }) },
  { code: 'intensity-invalid', path: '', spec: root({ intensity: -1 }) },
  { code: 'intensity-invalid', path: '', spec: root({ intensity: 1.5 }) },
  { code: 'period-invalid', path: '', spec: root({ periodMs: 0 }) },
  { code: 'period-invalid', path: '', spec: root({ periodMs: Number.NaN }) },
  { code: 'children-missing', path: '', spec: root({ children: [] }) },
  { code: 'id-duplicate', path: 'a', spec: root({ children: [CHILD, CHILD] }) },
  { code: 'id-invalid', path: 'A b', spec: child({ id: 'A b' }) },
  { code: 'id-invalid', path: '', spec: child({ id: '' }) },
  { code: 'restart-unknown', path: 'a', spec: child({ restart: 'always' }) },
  { code: 'shutdown-invalid', path: 'a', spec: child({ shutdownMs: 0 }) },
  { code: 'shutdown-invalid', path: 'a', spec: child({ shutdownMs: Number.POSITIVE_INFINITY }) },
  {
    code: 'essential-temporary',
    path: 'a',
    spec: child({ restart: 'temporary', essential: true }),
  },
  { code: 'period-invalid', path: 's/s', spec: above(root({ periodMs: -1 }), 2) },
  { code: 'tree-too-deep', path: 's/s/s/s/s/s/s/s', spec: above(SPEC, 8) },
  {
    code: 'children-too-many',
    path: '',
    spec: root({
      children: Array.from({ length: 257 }, (_, index) => ({ ...CHILD, id: `a${index}` })),
    }),
  },
];
for (const { code, path, spec } of broken) {
  test(`[SU-8] spec: ${code} at "${path}"`, () => {
    assert.deepEqual(validateSpec(spec), { ok: false, failure: [{ code, path }] });
  });
}

test('[SU-8] spec: all defects are told at once', () => {
  const spec = root({
    periodMs: 0,
    children: [CHILD, { ...CHILD, restart: 'always', shutdownMs: -1 }],
  });
  const checked = validateSpec(spec);
  assert.deepEqual(checked.ok ? [] : checked.failure.map(({ code }) => code), [
    'period-invalid',
    'id-duplicate',
    'restart-unknown',
    'shutdown-invalid',
  ]);
});
