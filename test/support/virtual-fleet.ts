/**
 * Several virtual nodes of one fleet: one clock, one broker, one provider; each with its own store, VPP and
 * probes. A node can be cut off from the broker, and the broker can be stopped.
 */
import assert from 'node:assert/strict';
import {
  createSimulatedWorld,
  type SimulatedWorld,
} from '../../src/adapters/simulated-provider/provider.js';
import { openSqliteStore } from '../../src/adapters/sqlite/open.js';
import { noFailpoints } from '../../src/adapters/system/failpoints.js';
import type { PackedStore } from '../../src/ports/packed.js';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/virtual-clock.js';
import { type FakeProber, fakeProber, HEALTHY } from './fake-prober.js';
import { type FleetBroker, fleetBroker } from './fleet-broker.js';
import { type FleetSeat, seatOf } from './fleet-seat.js';
import { startVirtualNode, type VirtualNode } from './virtual-node.js';

export interface VirtualFleet {
  readonly clock: VirtualClock;
  readonly broker: FleetBroker;
  readonly world: SimulatedWorld;
  readonly nodes: VirtualNode[];
  readonly seats: readonly FleetSeat[];
  /** Who may act now. */
  holders(): readonly number[];
}

export const FLEET_TTL_MS = 6_000;

/** What the fleet finds: a provider's instances, and the store of the first node's life alone. */
export interface Past {
  readonly world?: SimulatedWorld;
  readonly firstStore?: PackedStore;
  /** Authorities that the nodes' agents know; absent: all the same one. */
  readonly agentCas?: readonly string[];
  readonly clock?: VirtualClock;
}

/** Starts one after the other, a second apart. */
export async function startFleet(
  text: string,
  size: number,
  past: Past = {},
): Promise<VirtualFleet> {
  const clock = past.clock ?? createVirtualClock();
  const broker = fleetBroker(FLEET_TTL_MS, clock.monotonic);
  const world = past.world ?? createSimulatedWorld();
  const nodes: VirtualNode[] = [];
  const seats: FleetSeat[] = [];
  for (let index = 0; index < size; index += 1) {
    const node = `edge-${index + 1}`;
    const store = index === 0 ? (past.firstStore ?? storeOf(node, clock)) : storeOf(node, clock);
    const seat = seatOf(node, broker, store, past.agentCas?.[index]);
    seats.push(seat);
    const life = 2 + index * 1_000;
    const seated = { clock, world, prober: proberOf(world), store, fleet: seat, life };
    nodes.push(await startVirtualNode(text, index + 1, seated));
    await clock.advance(1_000);
  }
  const holders = (): readonly number[] =>
    seats.flatMap((seat, index) => (seat.hold()?.mayAct() === true ? [index] : []));
  return { clock, broker, world, nodes, seats, holders };
}

/** What runs answers; what does not refuses. */
export function proberOf(world: SimulatedWorld): FakeProber {
  const prober = fakeProber();
  return {
    ...prober,
    probe: (target, check) => {
      const all = [...world.instances.values()];
      const runs = all.some((one) => one.address === target.address && one.state === 'running');
      prober.behave(target, runs ? HEALTHY : { kind: 'refuses' });
      return prober.probe(target, check);
    },
  };
}

export function storeOf(node: string, clock: VirtualClock): PackedStore {
  const opened = openSqliteStore({
    ...{ file: ':memory:', durability: 'normal', node, failpoints: noFailpoints, clock },
  });
  assert.ok(opened.ok);
  return opened.value;
}
