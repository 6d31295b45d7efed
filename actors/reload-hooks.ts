/**
 * The hooks of a reload: how each part of the node is brought to a committed configuration.
 *
 * A hook whose part is made of actors tells each of them what it is to be, in batches; one whose part
 * belongs to the process calls it. Applying twice changes nothing. Every outcome is a value: applied,
 * failed with a sentence, or skipped because the part is not there.
 *
 * Rule: [RE-16] an actor that takes no messages fails its hook: it goes on as it was.
 */
import type { ActorKind } from '../machines/model/ids.js';
import type { ConvergeParams } from '../machines/reload-memory.js';
import { isLetterHook, type LetterHook } from '../src/config/letters.js';
import { HOOKS, type HookName, type Outcome } from '../src/policy/reload.js';
import type { LetterOrder } from '../src/ports/config-file.js';
import type { ReloadPorts } from '../src/ports/reload.js';
import type { World } from '../src/runtime/actor-type.js';
import type { ReloadDesks } from './reload-desks.js';

export type HookWorld = World<ReloadPorts, ReloadDesks> & {
  /** Aborted: the hook was given up, and what it still does is for nobody. */
  readonly signal?: AbortSignal;
};

/** Whose state a hook is about. */
const KINDS: Readonly<Record<LetterHook, readonly ActorKind[]>> = {
  guards: ['guard'],
  providers: ['provider', 'sweep'],
  pools: ['pool', 'block'],
  dataplane: ['lbsync'],
  outbox: ['outbox'],
  tenancy: ['tenancy'],
  backends: ['backend'],
  frontends: ['frontend'],
  tenants: ['tenant', 'group', 'instance'],
  removals: [],
};

export async function applyHook(
  name: HookName,
  params: ConvergeParams,
  world: HookWorld,
): Promise<Outcome> {
  world.ports.failpoints.hit('reload.hook.before');
  const outcome = await attempt(name, params, world);
  world.ports.failpoints.hit('reload.hook.after');
  return outcome;
}

async function attempt(name: HookName, params: ConvergeParams, world: HookWorld): Promise<Outcome> {
  try {
    await world.ports.room();
    return isLetterHook(name)
      ? await tellActors(name, params, world)
      : await callPart(name, params, world);
  } catch (error) {
    return failed(name, error instanceof Error ? error.message : String(error));
  }
}

/** Every hook once, for whoever came back empty. What fails is told in the log. */
export async function applyEverything(
  params: ConvergeParams,
  world: HookWorld,
): Promise<undefined> {
  for (const name of HOOKS) {
    const { status, error } = await attempt(name, params, world);
    if (status === 'failed') world.scope.log.warn({ hook: name, error }, 'hook failed');
  }
  return undefined;
}

async function tellActors(
  hook: LetterHook,
  params: ConvergeParams,
  { scope, ports, companion, signal }: HookWorld,
): Promise<Outcome> {
  const { kept, generation, retired, previous, mayRecreate } = params;
  const order: LetterOrder = { hook, generation, retired, previous, mayRecreate };
  for await (const batch of companion.letters(kept, order)) {
    if (signal?.aborted === true) return failed(hook, 'it was given up');
    for (const { to, message } of batch) scope.tell(to, message);
    await ports.room();
  }
  const deaf = KINDS[hook].length === 0 ? [] : await ports.quarantined(KINDS[hook]);
  if (deaf.length === 0) return { name: hook, status: 'applied' };
  return failed(hook, `quarantined, and so as before: ${deaf.join(', ')}; actor resume them`);
}

async function callPart(
  name: HookName,
  { kept }: ConvergeParams,
  { ports, companion }: HookWorld,
): Promise<Outcome> {
  const apply = ports.hook(name);
  if (apply === undefined) return { name, status: 'skipped' };
  const desk = await companion.desk(kept);
  if (!desk.ok) return failed(name, desk.failure);
  await apply(await desk.value.settings(name));
  return { name, status: 'applied' };
}

function failed(name: HookName, error: string): Outcome {
  return { name, status: 'failed', error };
}
