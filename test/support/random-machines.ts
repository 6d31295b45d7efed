/**
 * Machines nobody wrote: random structure and random words over a context of two counters, made from
 * a seed. They nest, run regions side by side, raise, wait, re-enter, end, and now and then throw or
 * never come to rest.
 */
import {
  type AnyStateMachine,
  and,
  assign,
  cancel,
  createMachine,
  enqueueActions,
  not,
  or,
  raise,
  stateIn,
} from 'xstate';
import type { Random } from '../../src/ports/clock.js';

export interface Counters {
  readonly n: number;
  readonly m: number;
  /** What eventless transitions may still spend. */
  readonly fuel: number;
}

interface Args {
  readonly context: Counters;
  readonly event: { readonly type: string; readonly by?: number };
}

export interface RandomMachine {
  readonly machine: AnyStateMachine;
  /** Event types it names, and some it does not. */
  readonly types: readonly string[];
  readonly config: object;
}

export interface RandomMachineOptions {
  /** Also what the compiler refuses: history, output, enqueueActions. */
  readonly beyond: boolean;
}

const DESCRIPTORS = ['go', 'stop', 'a', 'a.b', 'a.b.c', 'tick', '*', 'a.*', 'a.b.*', '*.a'];
const TYPES = ['go', 'stop', 'a', 'a.b', 'a.b.c', 'a.x', 'tick', 'ab', 'unheard', 'due', 'later'];
const DELAYS = ['short', 'computed', 'missing', '70'];

interface Build {
  readonly random: Random;
  readonly beyond: boolean;
  /** Paths of all states, by dots, without the root. */
  readonly paths: readonly string[];
  /** Paths of the regions of each parallel state. */
  readonly regions: readonly (readonly string[])[];
}

export function randomMachine(random: Random, { beyond }: RandomMachineOptions): RandomMachine {
  const root = randomShape(random, { depth: 0, beyond });
  const build = { random, beyond, paths: pathsOf(root, ''), regions: regionsOf(root, '') };
  const config = { id: 'r', context: contextOf(random), ...stateOf(build, root, '') };
  const machine = createMachine(config as never).provide(words() as never) as AnyStateMachine;
  return { machine, types: TYPES, config };
}

function contextOf(random: Random): unknown {
  const start = { n: 0, m: 1, fuel: 40 };
  if (random.next() < 0.5) return start;
  return ({ input }: { readonly input?: object }) => ({ ...start, ...input });
}

// --- structure ----------------------------------------------------------------------------------

interface Shape {
  readonly type: 'atomic' | 'final' | 'compound' | 'parallel' | 'history';
  readonly children: Readonly<Record<string, Shape>>;
}

const HISTORY: Shape = { type: 'history', children: {} };

interface Where {
  readonly depth: number;
  readonly beyond: boolean;
}

function randomShape(random: Random, { depth, beyond }: Where): Shape {
  const roll = random.next();
  const inner = depth === 0 ? 0.97 : 0.42 - depth * 0.1;
  if (roll > inner) return { type: depth > 0 && roll > 0.93 ? 'final' : 'atomic', children: {} };
  const parallel = random.next() < 0.3;
  const names = ['s', 't', 'u', 'v'].slice(0, 2 + nat(random, parallel ? 2 : 3));
  const child = () => randomShape(random, { depth: depth + 1, beyond });
  const children = Object.fromEntries(names.map((name) => [name, child()]));
  if (parallel) return { type: 'parallel', children };
  const history = beyond && random.next() < 0.4 ? { h: HISTORY } : {};
  return { type: 'compound', children: { ...children, ...history } };
}

function pathsOf({ children }: Shape, path: string): readonly string[] {
  return Object.entries(children).flatMap(([name, child]) => {
    const own = path === '' ? name : `${path}.${name}`;
    return [own, ...pathsOf(child, own)];
  });
}

/** Of each parallel state, and what is below its regions: targets that can be active together. */
function regionsOf({ type, children }: Shape, path: string): readonly (readonly string[])[] {
  const named = Object.entries(children).map(([name, child]) => {
    return { own: path === '' ? name : `${path}.${name}`, child };
  });
  const inner = named.flatMap(({ own, child }) => regionsOf(child, own));
  return type === 'parallel' ? [named.map(({ own }) => own), ...inner] : inner;
}

function stateOf(build: Build, shape: Shape, path: string): object {
  const { random, beyond } = build;
  if (shape.type === 'final') {
    const output =
      beyond && random.next() < 0.3 ? { output: ({ context }: Args) => context.n } : {};
    return { type: 'final', ...actionsOf(build), ...output };
  }
  if (shape.type === 'history')
    return { type: 'history', history: pick(random, ['deep', 'shallow']) };
  const names = Object.keys(shape.children).filter((name) => name !== 'h');
  const states = Object.fromEntries(
    Object.entries(shape.children).map(([name, child]) => {
      return [name, stateOf(build, child, path === '' ? name : `${path}.${name}`)];
    }),
  );
  return {
    ...actionsOf(build),
    ...handlersOf(build, path),
    ...(shape.type === 'compound' ? { initial: initialOf(build, names), states } : {}),
    ...(shape.type === 'parallel' ? { type: 'parallel', states } : {}),
  };
}

function initialOf(build: Build, names: readonly string[]): unknown {
  const target = pick(build.random, names);
  if (build.random.next() < 0.8) return target;
  return { target, actions: someActions(build) };
}

function actionsOf(build: Build): object {
  const { random } = build;
  return {
    ...(random.next() < 0.4 ? { entry: someActions(build) } : {}),
    ...(random.next() < 0.4 ? { exit: someActions(build) } : {}),
  };
}

// --- transitions --------------------------------------------------------------------------------

function handlersOf(build: Build, path: string): object {
  const { random } = build;
  const on = Object.fromEntries(
    DESCRIPTORS.filter(() => random.next() < 0.35).map((type) => [
      type,
      transitionsOf(build, path),
    ]),
  );
  const after = Object.fromEntries(
    DELAYS.filter((name) => random.next() < (name === 'missing' ? 0.01 : 0.14)).map((name) => [
      name,
      transitionsOf(build, path),
    ]),
  );
  return {
    on,
    after,
    ...(random.next() < 0.25 ? { always: alwaysOf(build, path) } : {}),
    ...(random.next() < 0.3 ? { onDone: transitionsOf(build, path) } : {}),
  };
}

function transitionsOf(build: Build, path: string): readonly object[] {
  return Array.from({ length: 1 + nat(build.random, 2) }, () => transitionOf(build, path));
}

/** Bounded by fuel, mostly: a loop that never rests is a case of its own. */
function alwaysOf(build: Build, path: string): readonly object[] {
  const { random } = build;
  return transitionsOf(build, path).map((transition) => {
    if (random.next() < 0.02) return transition;
    const guard = and(['hasFuel', randomGuard(build, 0)] as never);
    const { actions = [] } = transition as { readonly actions?: readonly unknown[] };
    return { ...transition, guard, actions: ['burn', ...actions] };
  });
}

function transitionOf(build: Build, path: string): object {
  const { random } = build;
  return {
    ...(random.next() < 0.75 ? { target: targetOf(build, path) } : {}),
    ...(random.next() < 0.3 ? { reenter: true } : {}),
    ...(random.next() < 0.4 ? { guard: randomGuard(build, 0) } : {}),
    ...(random.next() < 0.7 ? { actions: someActions(build) } : {}),
  };
}

function targetOf(build: Build, path: string): unknown {
  const { random, paths, regions } = build;
  const inside = paths.filter((one) => path !== '' && one.startsWith(`${path}.`));
  if (inside.length > 0 && random.next() < 0.3) return pick(random, inside).slice(path.length);
  if (paths.length === 0 || random.next() < 0.04) return '#r';
  if (regions.length > 0 && random.next() < 0.1) return severalOf(build, pick(random, regions));
  return `#r.${pick(random, paths)}`;
}

/** One state in each of two regions. */
function severalOf({ random, paths }: Build, [one = '', other = '']: readonly string[]): unknown {
  const within = (region: string) =>
    paths.filter((path) => path === region || path.startsWith(`${region}.`));
  return [one, other].map((region) => `#r.${pick(random, within(region))}`);
}

// --- words --------------------------------------------------------------------------------------

function randomGuard(build: Build, depth: number): unknown {
  const { random, paths } = build;
  const inner = () => randomGuard(build, depth + 1);
  const kinds = depth > 1 ? 5 : paths.length > 0 ? 9 : 8;
  switch (nat(random, kinds)) {
    case 0:
      return 'isEven';
    case 1:
      return { type: 'isOver', params: { limit: nat(random, 5) } };
    case 2:
      return { type: 'isOver', params: ({ context }: Args) => ({ limit: context.m }) };
    case 3:
      return ({ context, event }: Args) => (context.n + (event.by ?? 0)) % 3 !== 0;
    case 4:
      return random.next() < 0.04 ? 'breaks' : 'isEvenAndOver';
    case 5:
      return and([inner(), inner()] as never);
    case 6:
      return or([inner(), inner()] as never);
    case 7:
      return not(inner() as never);
    default:
      return stateIn(random.next() < 0.7 ? `#r.${pick(random, paths)}` : pick(random, paths));
  }
}

function someActions(build: Build): readonly unknown[] {
  return Array.from({ length: 1 + nat(build.random, 3) }, () => randomAction(build));
}

function randomAction(build: Build): unknown {
  const { random, beyond } = build;
  const by = nat(random, 4);
  if (beyond && random.next() < 0.1) return enqueued(by);
  switch (nat(random, 13)) {
    case 0:
      return 'say';
    case 1:
      return { type: 'say', params: { by } };
    case 2:
      return {
        type: 'tell',
        params: ({ context, event }: Args) => ({ ...context, of: event.type }),
      };
    case 3:
      return { type: 'add', params: { by } };
    case 4:
      return { type: 'add', params: ({ context }: Args) => ({ by: context.m % 5 }) };
    case 5:
      return assign({ n: ({ context }: Args) => (context.n * 3 + by) % 17, m: by } as never);
    case 6:
      return assign(
        ({ context, event }: Args) => ({ m: (context.m + (event.by ?? 1)) % 11 }) as never,
      );
    case 7:
      return function unnamed() {};
    case 8:
      return random.next() < 0.4 ? raise({ type: pick(random, TYPES) }) : 'say';
    case 9:
      return random.next() < 0.2
        ? raise(((args: Args) => ({ type: args.event.type, by })) as never)
        : 'say';
    case 10:
      return raise(
        { type: 'due' },
        { id: 'due', delay: pick(random, [5, 'short', computed] as never[]) },
      );
    case 11:
      return pick(random, [cancel('due'), cancel(() => 'due'), cancel('later')] as unknown[]);
    default:
      return random.next() < 0.03 ? 'fail' : 'setLater';
  }
}

function computed({ context }: Args): number {
  return context.n * 10;
}

function enqueued(by: number): unknown {
  return enqueueActions(({ enqueue, check, context }) => {
    enqueue.assign({ n: ((context as Counters).n + by) % 17 } as never);
    if (check('isEven' as never)) enqueue({ type: 'say', params: { by } } as never);
  });
}

/** Implementations by name, the same for all of these machines. */
function words(): object {
  const isEven = ({ context }: Args) => context.n % 2 === 0;
  const isOver = ({ context }: Args, { limit }: { readonly limit: number }) => context.n > limit;
  return {
    guards: {
      isEven,
      isOver,
      hasFuel: ({ context }: Args) => context.fuel > 0,
      isEvenAndOver: and(['isEven', { type: 'isOver', params: { limit: 2 } }] as never),
      breaks: ({ context }: Args) => {
        if (context.n % 4 === 1) throw new Error('the guard broke');
        return true;
      },
    },
    actions: {
      say: () => {},
      burn: assign({ fuel: ({ context }: Args) => context.fuel - 1 } as never),
      add: assign((({ context }: Args, { by }: { readonly by: number }) => ({
        n: (context.n + by) % 13,
      })) as never),
      setLater: raise({ type: 'later' }, { id: 'later', delay: 'computed' } as never),
      fail: assign((() => {
        throw new Error('the assignment failed');
      }) as never),
    },
    delays: { short: 10, computed },
  };
}

// --- chance -------------------------------------------------------------------------------------

export function nat(random: Random, below: number): number {
  return Math.floor(random.next() * below);
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[nat(random, list.length)] as T;
}
