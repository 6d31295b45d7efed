/** Every effect any machine of the node names has a row in its actor's table, and every row is named. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { castOf } from '../../src/app/roles.js';

/** The runtime's own three; `assign` and its kin never reach the table. */
const RESERVED = ['record', 'spawn', 'forget'];

const { types } = castOf(['main', 'shard', 'dataplane', 'outbox']);

for (const { kind, machine, effects } of types) {
  test(`[RT-3] ${kind}: effects named by the machine and rows of the actor are the same set`, () => {
    const implemented = machine.implementations.actions;
    const named = Object.entries(implemented)
      .filter(([, action]) => isEffect(action))
      .map(([name]) => name)
      .filter((name) => !RESERVED.includes(name));
    const rows = Object.keys(effects);
    assert.deepEqual(
      named.filter((name) => !rows.includes(name)),
      [],
      'no row',
    );
    assert.deepEqual(
      rows.filter((name) => !named.includes(name)),
      [],
      'named by nobody',
    );
  });
}

/** XState's built-in actions carry a `resolve`; an effect is a bare function that does nothing. */
function isEffect(action: unknown): boolean {
  return typeof action === 'function' && !('resolve' in action);
}
