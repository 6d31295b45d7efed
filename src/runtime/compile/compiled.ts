/**
 * The compiled path: a chart made ready to run. Programs for what an event does in a configuration are
 * worked out when they are first needed.
 */
import type { AnyStateMachine } from 'xstate';
import type { Json, JsonObject } from '../../../machines/model/json.js';
import type { Engine, MachineEvent } from '../step.js';
import type { Chart } from './chart.js';
import { inertSelf, noSpawn } from './inert.js';
import { createKinds } from './kinds.js';
import { createPlaces, type Standing } from './places.js';
import { Run } from './run.js';
import { leavesOf } from './values.js';

export function createCompiled(machine: AnyStateMachine, chart: Chart): Engine {
  const kinds = createKinds(chart);
  const places = createPlaces(chart, kinds);
  const run = new Run(places, kinds, chart.transitions.length);
  /** Most state values are the name of a state: as many as there are states. */
  const byName = new Map<string, Standing>();

  const at = (value: Json): Standing => {
    const leaves = leavesOf(machine.root, value).map(({ order }) => chart.nodes[order]);
    const known = leaves.filter((leaf) => leaf !== undefined);
    const standing = places.standingAt(places.at(known));
    if (typeof value === 'string') byName.set(value, standing);
    return standing;
  };

  return {
    initial: (input) => run.start(contextFor(chart, input), initEvent(input)),
    step: (configuration, context, event) => run.step(configuration as Standing, context, event),
    restore: (value) => (typeof value === 'string' ? byName.get(value) : undefined) ?? at(value),
  };
}

function initEvent(input: JsonObject): MachineEvent & { readonly input: JsonObject } {
  return { type: 'xstate.init', input };
}

function contextFor({ context }: Chart, input: JsonObject): JsonObject {
  if (typeof context !== 'function') return context;
  return context({ input, spawn: noSpawn, self: inertSelf }) as JsonObject;
}
