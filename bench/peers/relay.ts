/**
 * Our side of the ring: a host with actors that pass a message on until its hops are used up. Each is a
 * whole actor of ours: a machine, a mailbox, a turn, an effect, an envelope for every hop.
 */
import { setup } from 'xstate';
import { effect, type Stamped } from '../../machines/model/effects.js';
import { type Address, addressOf, keyOf } from '../../machines/model/ids.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { systemIds, systemRandom } from '../../src/adapters/system/identity.js';
import { type ActorType, observed } from '../../src/runtime/actor-type.js';
import { createHost } from '../../src/runtime/host.js';
import { createPlacement } from '../../src/runtime/placement.js';
import { SILENT } from '../runtime/cells.js';
import { forgetfulStore } from '../runtime/memory-store.js';

interface Hop {
  readonly type: 'hop';
  readonly left: number;
}

interface Passed {
  readonly left: number;
  readonly next: Address;
}

const relay = setup({
  types: {
    context: {} as { readonly next: Address },
    events: {} as Stamped<Hop>,
    input: {} as { readonly address: Address },
  },
  actions: { pass: effect<Passed>() },
}).createMachine({
  id: 'bench-relay',
  context: ({ input }) => ({ next: nextOf(input.address) }),
  on: {
    hop: {
      actions: {
        type: 'pass',
        params: ({ context, event }) => ({ left: event.left, next: context.next }),
      },
    },
  },
});

/** `backend/3-of-1000` is followed by `backend/4-of-1000`, and the last by the first. */
function nextOf(address: Address): Address {
  const [index, size] = keyOf(address).split('-of-').map(Number);
  return relayOf(((index ?? 0) + 1) % (size ?? 1), size ?? 1);
}

function relayOf(index: number, size: number): Address {
  return addressOf('backend', `${index}-of-${size}`);
}

export interface Ring {
  /** So many hops, one after the other. */
  run(hops: number): Promise<void>;
  stop(): Promise<void>;
}

export async function createRelays(size: number): Promise<Ring> {
  let arrived = (): void => undefined;
  const type: ActorType = {
    kind: 'backend',
    machine: relay,
    version: 1,
    stored: false,
    implicit: true,
    effects: {
      pass: observed<Passed>(({ left, next }, { scope }) => {
        if (left === 0) arrived();
        else scope.tell(next, { type: 'hop', left: left - 1 } as Hop);
      }),
    },
    view: ({ context }) => context,
  };
  const host = createHost({
    thread: 'shard-0',
    incarnation: 1,
    types: [type],
    services: [],
    placement: createPlacement(1),
    clock: systemClock(),
    ids: systemIds(),
    random: systemRandom(),
    log: SILENT,
    metrics: { count: () => undefined, gauge: () => undefined, observe: () => undefined },
    store: forgetfulStore(),
    ports: {},
    remote: { send: () => false, reply: () => undefined },
    generation: () => 1,
  });
  const started = await host.start();
  if (!started.ok) throw new Error(started.failure.message);
  return {
    run: (hops) =>
      new Promise((resolve) => {
        arrived = resolve;
        host.tell(relayOf(0, size), { type: 'hop', left: hops } as Hop, 'bench');
      }),
    stop: async () => void (await host.stop()),
  };
}
