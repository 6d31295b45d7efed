/** What holds for every machine of the node. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyStateNode } from 'xstate';
import { ALL_MACHINES } from '../../machines/all-machines.js';

function everyState(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap((state) => everyState(state))];
}

for (const { name, machine } of ALL_MACHINES) {
  test(`[SM-4] ${name}: every state says in a sentence what it is`, () => {
    const silent = everyState(machine.root).filter(
      ({ description = '' }) => !/\.$|\?$/.test(description),
    );
    assert.deepEqual(
      silent.map(({ id }) => id),
      [],
    );
  });
}
