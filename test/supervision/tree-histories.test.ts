/**
 * The tree reducer against a second, dumb implementation that does everything at once, and in every
 * short history of a performer that takes its time, fails and is told to stop in the middle.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Exit } from '../../src/supervision/restart.js';
import {
  type ChildSpec,
  RESTARTS,
  STRATEGIES,
  type SupervisorSpec,
} from '../../src/supervision/spec.js';
import { supervise } from '../../src/supervision/tree.js';
import {
  parentOf,
  type Tree,
  type TreeAction,
  type TreeEvent,
  type TreeState,
  treeOf,
} from '../../src/supervision/tree-model.js';
import { seedOfRun } from '../support/seed.js';
import { type DumbTree, dumbTree } from '../support/tree-dumb.js';
import { spec, subtree, treeLab, worker } from '../support/tree-lab.js';

const arbTerms = fc.record({
  restart: fc.constantFrom(...RESTARTS),
  essential: fc.boolean(),
});

function arbSupervisor(depth: number): fc.Arbitrary<SupervisorSpec<string>> {
  return fc
    .record({
      strategy: fc.constantFrom(...STRATEGIES),
      intensity: fc.nat(3),
      children: fc.array(arbChild(depth), { minLength: 1, maxLength: 4 }),
    })
    .map(({ strategy, intensity, children }) => {
      const named = children.map((child, index) => ({ ...child, id: `c${index}` }));
      return spec(strategy, named, { intensity });
    });
}

function arbChild(depth: number): fc.Arbitrary<ChildSpec<string>> {
  const arbWorker = arbTerms.map(({ restart, essential }) =>
    worker('c', restart, { essential: essential && restart !== 'temporary' }),
  );
  if (depth === 0) return arbWorker;
  const arbSubtree = fc
    .record({ supervisor: arbSupervisor(depth - 1), essential: fc.boolean() })
    .map(({ supervisor, essential }) => subtree('c', supervisor, essential));
  return fc.oneof({ weight: 3, arbitrary: arbWorker }, { weight: 1, arbitrary: arbSubtree });
}

interface Move {
  readonly pick: number;
  readonly kind: 'end' | 'resume';
  readonly exit: Exit;
  readonly afterMs: number;
}

const arbMove: fc.Arbitrary<Move> = fc.record({
  pick: fc.nat(),
  kind: fc.constantFrom('end', 'end', 'end', 'end', 'resume'),
  exit: fc.constantFrom('normal', 'shutdown', 'abnormal'),
  // Never two ends at one time: a resume forgives by time.
  afterMs: fc.integer({ min: 1, max: 400 }),
});

test('[SU-16] [SU-17] [SU-20] tree: does what a dumb tree does that does everything at once', () => {
  fc.assert(
    fc.property(arbSupervisor(2), fc.array(arbMove, { maxLength: 40 }), (of, moves) => {
      const lab = treeLab(of, true);
      const dumb = dumbTree(of);
      lab.begin();
      dumb.begin();
      for (const move of moves) {
        lab.advance(move.afterMs);
        dumb.advance(move.afterMs);
        makeMove(move, lab, dumb);
        const quarantined = dumb.quarantined();
        assert.deepEqual([...lab.alive.keys()].sort(), dumb.running());
        assert.ok(quarantined.every((path) => lab.phaseOf(path) === 'quarantined'));
        assert.equal(deeds(lab.words()), dumb.words());
      }
    }),
    { seed: seedOfRun(), numRuns: 1_500 },
  );
});

/** Back-offs are nothing to a tree that does everything at once. */
function deeds(words: string): string {
  return words
    .split('; ')
    .filter((word) => /^(start|stop|quarantine|done)/.test(word))
    .join('; ');
}

function makeMove(move: Move, lab: ReturnType<typeof treeLab>, dumb: DumbTree): void {
  const paths = move.kind === 'end' ? dumb.running() : dumb.quarantined();
  const path = paths[move.pick % Math.max(1, paths.length)];
  if (path === undefined) return;
  if (move.kind === 'resume') {
    lab.resume(path);
    return dumb.resume(path);
  }
  lab.ends(path, move.exit);
  dumb.ends(path, move.exit);
}

/** What the world knows: which lives run, what it was told to do and has not answered. */
interface World {
  readonly state: TreeState;
  readonly at: number;
  /** Lives that were started and have not ended. */
  readonly alive: ReadonlyMap<string, number>;
  readonly starting: ReadonlySet<string>;
  readonly waits: readonly { readonly path: string; readonly life: number }[];
  readonly stopAsked: boolean;
  readonly done: boolean;
}

const small = spec('one-for-one', [worker('a'), worker('b', 'transient', { essential: true })], {
  intensity: 1,
});
const WORLDS: readonly { readonly name: string; readonly of: SupervisorSpec<string> }[] = [
  { name: 'one-for-one', of: small },
  { name: 'rest-for-one', of: { ...small, strategy: 'rest-for-one' } },
  { name: 'one-for-all', of: { ...small, strategy: 'one-for-all' } },
  {
    name: 'nested',
    of: spec('rest-for-one', [subtree('s', small, false), worker('c')], { intensity: 1 }),
  },
];

for (const { name, of } of WORLDS) {
  test(`[SU-16] [SU-17] [SU-18] [SU-21] tree: holds in every history of ten events, ${name}`, () => {
    const tree = treeOf(of);
    const seen = new Set<string>();
    const explore = (world: World, depth: number): void => {
      const key = `${depth} ${fingerprint(world)}`;
      if (depth === 0 || seen.has(key)) return;
      seen.add(key);
      for (const event of eventsOf(world)) explore(after(tree, world, event), depth - 1);
    };
    explore(fresh(tree), 10);
    assert.ok(seen.size > 1_000, `only ${seen.size}`);
  });
}

test('[SU-19] [SU-21] tree: whatever happened, a stop ends everything, and left alone everything runs', () => {
  fc.assert(
    fc.property(arbSupervisor(2), fc.array(fc.nat(), { maxLength: 60 }), (of, picks) => {
      const tree = treeOf(of);
      let world = after(tree, fresh(tree), { type: 'begin' });
      for (const pick of picks) world = after(tree, world, pickOf(eventsOf(world), pick));
      const settled = settle(tree, world);
      for (const [path, { phase }] of settled.state) {
        assert.ok(['running', 'down', 'quarantined'].includes(phase), `${path} ${phase}`);
      }
      const ended = settle(tree, after(tree, settled, { type: 'stop' }));
      assert.ok(ended.done && ended.alive.size === 0);
    }),
    { seed: seedOfRun(), numRuns: 1_000 },
  );
});

function fresh(tree: Tree<string>): World {
  const nothing = { alive: new Map(), starting: new Set<string>(), waits: [] };
  return { state: tree.initial, at: 0, ...nothing, stopAsked: false, done: false };
}

/** Answers as a well-behaved performer would until there is nothing to answer. */
function settle(tree: Tree<string>, from: World): World {
  let world = from;
  for (let rounds = 0; rounds < 1_000; rounds += 1) {
    const next = eventsOf(world).find(
      (event) =>
        event.type === 'started' ||
        event.type === 'due' ||
        (event.type === 'ended' && world.state.get(event.path)?.phase === 'stopping'),
    );
    if (next === undefined) return world;
    world = after(tree, world, next);
  }
  throw assert.fail('it never comes to rest');
}

/** All that may be told of this world: every answer that is due, every end, and orders. */
function eventsOf({ state, alive, starting, waits }: World): readonly TreeEvent[] {
  const answers = [...alive].flatMap(([path, life]): readonly TreeEvent[] => [
    ...(starting.has(path)
      ? ([
          { type: 'started', path, life },
          { type: 'startFailed', path, life },
        ] as const)
      : []),
    { type: 'ended', path, life, exit: 'abnormal' },
    { type: 'ended', path, life, exit: 'normal' },
  ]);
  const over = waits.map((wait) => ({ type: 'due', ...wait }) as const);
  const resumes = [...state].flatMap(([path, { phase }]) =>
    phase === 'quarantined' ? [{ type: 'resume', path } as const] : [],
  );
  return [...answers, ...over, ...resumes, { type: 'begin' }, { type: 'stop' }];
}

function after(tree: Tree<string>, world: World, event: TreeEvent): World {
  const told = { ...event, at: world.at, random: 0.5 };
  const { state, actions } = supervise(tree, world.state, told);
  const alive = new Map(world.alive);
  const starting = new Set(world.starting);
  const gone = event.type === 'ended' || event.type === 'startFailed';
  if (gone || event.type === 'started') starting.delete(event.path);
  if (gone) alive.delete(event.path);
  const waits = world.waits.filter(
    (wait) => !(event.type === 'due' && wait.path === event.path && wait.life === event.life),
  );
  const stopAsked = world.stopAsked || event.type === 'stop';
  let done = world.done;
  for (const action of actions) {
    judge({ tree, state, alive, stopAsked, done }, action);
    if (action.type === 'start') {
      alive.set(action.path, action.life);
      starting.add(action.path);
    }
    if (action.type === 'wait') waits.push({ path: action.path, life: action.life });
    if (action.type === 'done') done = true;
  }
  return { state, at: world.at + 1, alive, starting, waits, stopAsked, done };
}

interface Scene {
  readonly tree: Tree<string>;
  readonly state: TreeState;
  readonly alive: ReadonlyMap<string, number>;
  readonly stopAsked: boolean;
  readonly done: boolean;
}

/** The laws, at every action. */
function judge({ tree, state, alive, stopAsked, done }: Scene, action: TreeAction<string>): void {
  assert.ok(!done, `SU-21: ${action.type} after the end`);
  switch (action.type) {
    case 'start':
      assert.ok(!alive.has(action.path), `SU-16: two lives of ${action.path}`);
      assert.ok(!stopAsked, `SU-21: ${action.path} started after a stop`);
      break;
    case 'stop':
    case 'kill': {
      assert.equal(alive.get(action.path), action.life, `SU-16: ${action.path} does not run`);
      const siblings = tree.below.get(parentOf(action.path)) ?? [];
      const later = siblings.slice(siblings.indexOf(action.path) + 1);
      const running = later.filter((path) => alive.has(path) && state.get(path)?.doom !== 'none');
      assert.deepEqual(running, [], `SU-17: ${action.path} is stopped before these`);
      break;
    }
    case 'done':
      assert.equal(alive.size, 0, 'SU-17: done while something runs');
      break;
    default:
  }
}

function pickOf(events: readonly TreeEvent[], pick: number): TreeEvent {
  const event = events[pick % events.length];
  assert.ok(event !== undefined);
  return event;
}

function fingerprint({ state, alive, starting, waits, stopAsked }: World): string {
  return JSON.stringify([[...state], [...alive], [...starting], waits, stopAsked]);
}
