/** `machines show`: each form says what the machine is, and the tools that read it can. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnyStateMachine, createMachine } from 'xstate';
import { ALL_MACHINES } from '../../machines/all-machines.js';
import { plainConfig } from '../../src/adapters/inspector/definition.js';
import { type Chart, chartOf } from '../../src/cli/machine-chart.js';
import { render } from '../../src/cli/machines-commands.js';

/** Loads the printed module as a reader of TypeScript would, without running anything else. */
function load(module: string): AnyStateMachine {
  const literal = /createMachine\(([\s\S]*)\);/.exec(module)?.[1] ?? '';
  return new Function('createMachine', `return createMachine(${literal})`)(createMachine);
}

const paths = (machine: AnyStateMachine): readonly string[] =>
  chartOf(machine).states.map(({ path }) => path);

for (const named of ALL_MACHINES) {
  test(`[CL-48] ${named.name} for Stately: loads, with the same states and transitions`, () => {
    const loaded = load(render(named, 'stately'));
    assert.deepEqual(paths(loaded), paths(named.machine));
    assert.deepEqual(chartOf(loaded).events, chartOf(named.machine).events);
    assert.deepEqual(chartOf(loaded).delays, chartOf(named.machine).delays);
    assert.deepEqual(chartOf(loaded).actions, chartOf(named.machine).actions);
  });

  test(`[CL-48] ${named.name} for Mermaid: every line is one its grammar has`, () => {
    const lines = render(named, 'mermaid').trimEnd().split('\n');
    assert.equal(lines.shift(), 'stateDiagram-v2');
    const declared = new Set<string>();
    const used = new Set<string>();
    let depth = 0;
    let inNote = false;
    for (const line of lines.map((text) => text.trim())) {
      if (inNote) {
        inNote = line !== 'end note';
        continue;
      }
      const edge = /^(\w+|\[\*\]) --> (\w+|\[\*\])( : [^:;]+)?$/.exec(line);
      const state = /^state "[^"]+" as (\w+)( \{)?$/.exec(line);
      const note = /^note right of (\w+)$/.exec(line);
      if (edge !== null) for (const id of [edge[1], edge[2]]) used.add(id ?? '');
      else if (state !== null) {
        declared.add(state[1] ?? '');
        depth += state[2] === undefined ? 0 : 1;
      } else if (note !== null) {
        used.add(note[1] ?? '');
        inNote = true;
      } else if (line === '}') depth -= 1;
      else assert.equal(line, '--');
    }
    used.delete('[*]');
    assert.equal(depth, 0);
    assert.equal(declared.size, paths(named.machine).length - 1);
    assert.deepEqual(
      [...used].filter((id) => !declared.has(id)),
      [],
    );
  });

  test(`[CL-48] ${named.name} as JSON: says what its author said, and nothing is anonymous`, () => {
    const chart: Chart & { name: string; description: string } = JSON.parse(render(named, 'json'));
    assert.deepEqual(chart, {
      name: named.name,
      description: named.description,
      ...chartOf(named.machine),
    });
    for (const { path, description } of chart.states.slice(1)) {
      const node = named.machine.getStateNodeById([named.machine.id, path].join('.'));
      assert.equal(description, node.description, path);
    }
    for (const word of [...chart.guards, ...chart.actions]) assert.doesNotMatch(word, /anonymous/);
  });
}

for (const { machine, name } of ALL_MACHINES) {
  test(`[CL-61] ${name}: reads well as a chart`, () => {
    assert.doesNotMatch(JSON.stringify(plainConfig(machine)), /anonymous|"type":"xstate\./);
    const { delays, states } = chartOf(machine);
    for (const delay of delays) assert.ok(delay in machine.implementations.delays, delay);
    for (const { description = '', path } of states) {
      assert.ok(description.split(' ').length >= 3, `${path}: '${description}'`);
    }
  });
}
