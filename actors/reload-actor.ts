/**
 * The reload actor: one per node, `reload/main`. Gives the reload machine its file, its hooks and its
 * voice towards every other actor.
 */

import { assert } from '../machines/model/assert.js';
import type { JsonObject } from '../machines/model/json.js';
import { reloadMachine } from '../machines/reload.js';
import type {
  AnswerParams,
  ConvergeParams,
  HookParams,
  LoadParams,
  ReloadContext,
  SettleParams,
} from '../machines/reload-memory.js';
import { asJson, NOBODY, type ReloadResult } from '../src/policy/reload.js';
import type { ReloadPorts } from '../src/ports/reload.js';
import {
  type ActorType,
  durable,
  observed,
  type Scope,
  type StoredState,
  type World,
} from '../src/runtime/actor-type.js';
import { createReloadDesks, type ReloadDesks } from './reload-desks.js';
import { applyEverything, applyHook } from './reload-hooks.js';

type Reload = World<ReloadPorts, ReloadDesks>;

/** The address of the only actor of this kind. */
export const RELOAD_KEY = 'main';

export const reloadActor: ActorType<ReloadPorts, ReloadDesks> = {
  kind: 'reload',
  machine: reloadMachine,
  version: 2,
  stored: true,
  implicit: true,
  companion: (_: Scope, ports: ReloadPorts) => createReloadDesks(ports),
  dispose: (desks) => desks.close(),
  effects: {
    load: observed((params: LoadParams, { scope, companion }: Reload) => {
      scope.run(async () => ({
        type: 'config.examined',
        examined: await companion.examine(params),
      }));
    }),
    converge: durable((params: ConvergeParams, world: Reload) => {
      makeCurrent(params, world);
      world.scope.run(() => world.companion.during(() => applyEverything(params, world)));
    }),
    startHooks: durable((params: HookParams, world: Reload) => {
      makeCurrent(params, world);
      runHook(params, world);
    }),
    applyHook: observed(runHook),
    report: observed((result: ReloadResult, { ports }: Reload) => ports.report(asJson(result))),
    release: observed(({ keep }: SettleParams, { scope, companion }: Reload) => {
      scope.run(async () => companion.release(keep));
    }),
    answer: observed(({ askers, body }: AnswerParams, { scope }: Reload) => {
      for (const asker of askers) scope.reply(asker, body);
    }),
  },
  view: ({ context }) => viewOf(context as unknown as ReloadContext),
  migrate,
};

function makeCurrent({ kept, generation }: ConvergeParams, { ports }: Reload): void {
  ports.configFile.adopt(kept.hash);
  ports.setGeneration(generation);
}

function runHook(params: HookParams, world: Reload): void {
  const { hook, pass } = params;
  assert(hook !== null, 'a pass without a hook');
  const signal = world.companion.begin();
  world.scope.run(async () => {
    const outcome = await applyHook(hook, params, { ...world, signal });
    return { type: 'hook.finished', pass, outcome };
  });
}

/** `last` is absent before the first pass; the history is newest first. */
function viewOf({ generation, history }: ReloadContext): JsonObject {
  const [last] = history;
  const results = history.map(asJson);
  return { generation, ...(last === undefined ? {} : { last: asJson(last) }), history: results };
}

/**
 * Version 1 kept the configuration itself in its row, and knew no hooks but one: a pass that was under way
 * is over, and the next start drives everybody to what was committed.
 */
function migrate({ context }: StoredState): StoredState {
  const {
    committed,
    requiresRestart,
    retired,
    pass: _,
    ...rest
  } = context as JsonObject & {
    readonly committed?: { readonly hash: string; readonly config: JsonObject } | null;
  };
  const kept =
    committed === null || committed === undefined
      ? null
      : {
          hash: committed.hash,
          inline: committed.config,
          requiresRestart: requiresRestart ?? [],
          retired: retired ?? { ...NOBODY },
        };
  const idle = { committed: kept, previous: null, request: null, pass: null };
  return { value: 'idle', timers: [], context: { ...rest, ...idle } as JsonObject };
}
