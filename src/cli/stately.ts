/**
 * A machine as a TypeScript module that Stately Studio imports: one `createMachine` call with the
 * configuration as a literal, guards, actions and delays by name.
 */
import type { AnyStateMachine } from 'xstate';
import type { Json } from '../../machines/model/json.js';
import { plainConfig } from '../adapters/inspector/definition.js';

export function statelyOf(machine: AnyStateMachine): string {
  const literal = literalOf(plainConfig(machine), '');
  return [
    "import { createMachine } from 'xstate';",
    '',
    `export const machine = createMachine(${literal});`,
    '',
  ].join('\n');
}

function literalOf(value: Json, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item: Json) => `${inner}${literalOf(item, inner)},`);
    return items.length === 0 ? '[]' : `[\n${items.join('\n')}\n${indent}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(
      ([name, field]) => `${inner}${keyOf(name)}: ${literalOf(field ?? null, inner)},`,
    );
    return fields.length === 0 ? '{}' : `{\n${fields.join('\n')}\n${indent}}`;
  }
  return typeof value === 'string' ? quoted(value) : JSON.stringify(value);
}

function keyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__' ? name : quoted(name);
}

function quoted(text: string): string {
  const inside = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inside}'`;
}
