/** Drives the reload machine: files of a given content, whole passes, what was said. */
import assert from 'node:assert/strict';
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { reloadMachine } from '../../machines/reload.js';
import type {
  AnswerParams,
  ConvergeParams,
  HookParams,
  LoadParams,
  ReloadContext,
} from '../../machines/reload-memory.js';
import {
  type Examined,
  HOOKS,
  type HookName,
  NOBODY,
  type Outcome,
  type Read,
  type ReloadResult,
} from '../../src/policy/reload.js';
import { type Driven, drive } from './drive.js';

export type Reload = Driven<ReloadContext>;
type Trigger = 'signal' | 'api' | 'file' | 'boot';

/** Three hooks are enough to tell them apart. */
export const APPLIED_HOOKS = ['log_level', 'pools', 'tenants'] as const;
export const SKIPPED = HOOKS.filter((name) => !(APPLIED_HOOKS as readonly string[]).includes(name));

/** A readable file; its hash is its content. */
export function read(hash: string, change: Partial<Read> = {}): Read {
  return {
    kind: 'read',
    hash,
    atStart: { content: hash },
    counts: { tenants: 0, backends: 0, frontends: 0 },
    retired: NOBODY,
    appeared: NOBODY,
    diff: [{ path: 'log.level', from: 'info', to: 'debug' }],
    changes: 1,
    requiresRestart: [],
    disruptive: [],
    skipped: SKIPPED,
    unprepared: [],
    problems: [],
    hookTimeoutMs: 5_000,
    mode: 'partial',
    ...change,
  };
}

export const UNREADABLE: Examined = {
  kind: 'unreadable',
  problems: [{ file: 'f', line: 1, column: 2, path: '', message: 'not YAML', code: 'parse' }],
};
export const SENSELESS: Examined = {
  kind: 'unreadable',
  problems: [{ file: 'f', line: 1, column: 2, path: 'a', message: 'no such b', code: 'semantic' }],
};

export const fresh = (): Reload =>
  drive<ReloadContext>(reloadMachine, { address: addressOf('reload', 'main') }).send({
    type: 'activated',
  });

export interface Ask {
  readonly trigger?: Trigger;
  readonly dryRun?: boolean;
  readonly disruptive?: boolean;
  readonly replyTo?: string;
}

export function ask(reload: Reload, { trigger = 'signal', ...rest }: Ask = {}): Reload {
  const { dryRun = false, disruptive = false, replyTo } = rest;
  const meta = replyTo === undefined ? {} : { replyTo };
  return reload.send({ type: 'reload.requested', trigger, dryRun, disruptive } as never, meta);
}

export const examined = (reload: Reload, found: Examined): Reload =>
  reload.send({ type: 'config.examined', examined: found } as never);

/** The hook that is being applied answers. */
export function hooked(reload: Reload, change: Partial<Outcome> = {}): Reload {
  const { id = '', hook } = reload.context.pass ?? {};
  const name = (hook ?? 'log_level') as HookName;
  const outcome: Outcome = { name, status: 'applied', ...change };
  return reload.send({ type: 'hook.finished', pass: id, outcome } as never);
}

/** As they answer, in their order; those that are not named apply. */
export function hookedAll(
  reload: Reload,
  answers: Partial<Record<HookName, Partial<Outcome>>> = {},
): Reload {
  let after = reload;
  for (let hook = after.context.pass?.hook; after.value === 'converging'; ) {
    after = hooked(after, answers[hook ?? 'log_level'] ?? {});
    hook = after.context.pass?.hook;
  }
  return after;
}

/** A whole pass over a file of this content. */
export const pass = (reload: Reload, found: Examined, how: Ask = {}): Reload => {
  const after = examined(ask(reload, how), found);
  return after.value === 'converging' ? hookedAll(after) : after;
};

export const running = (): Reload => pass(fresh(), read('one'), { trigger: 'boot' });

export const lastOf = (reload: Reload): ReloadResult => {
  const [last] = reload.context.history;
  assert.ok(last !== undefined, 'a result');
  return last;
};
export const recorded = (reload: Reload): readonly string[] =>
  reload.said<RecordParams>('record').map(({ event }) => event);
export const answers = (reload: Reload): readonly AnswerParams[] =>
  reload.said<AnswerParams>('answer');
export const loads = (reload: Reload): readonly LoadParams[] => reload.said<LoadParams>('load');
export const converges = (reload: Reload): readonly ConvergeParams[] =>
  reload.said<ConvergeParams>('converge');
/** Hooks that the latest step applies. */
export const applies = (reload: Reload): readonly HookParams[] => [
  ...reload.said<HookParams>('startHooks'),
  ...reload.said<HookParams>('applyHook'),
];

/** Of the only answer of the latest step. */
export function bodyOf(reload: Reload): JsonObject {
  const [answer] = answers(reload);
  assert.ok(answer !== undefined, 'an answer');
  return answer.body as JsonObject;
}
