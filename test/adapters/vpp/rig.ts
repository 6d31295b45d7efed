/**
 * A client wired to a scripted peer, with a clock that only moves when told to and everything it
 * reports collected.
 */
import { openVpp, type VppOptions } from '../../../src/adapters/vpp/client.js';
import type { Clock } from '../../../src/ports/clock.js';
import type { Dataplane } from '../../../src/ports/dataplane.js';
import { expectOk } from '../../contract/dataplane-lab.js';
import { type Peer, type Script, startPeer } from './peer.js';

export interface ManualClock extends Clock {
  advance(ms: number): void;
}

export function manualClock(): ManualClock {
  const timers = new Map<number, { at: number; run: () => void }>();
  let [nowMs, next] = [0, 0];
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    soon: setImmediate,
    after: (delayMs, run) => {
      const id = next++;
      timers.set(id, { at: nowMs + delayMs, run });
      return () => timers.delete(id);
    },
    advance: (ms) => {
      nowMs += ms;
      for (const [id, { at, run }] of [...timers]) {
        if (at <= nowMs && timers.delete(id)) run();
      }
    },
  };
}

export interface Rig {
  readonly peer: Peer;
  readonly clock: ManualClock;
  readonly dataplane: Dataplane;
  /** Reasons given to `onDown`. */
  readonly downs: string[];
  /** `name{label,label}` of every count. */
  readonly counts: string[];
}

/** Runs with a fresh peer and an unconnected client, and ends both. */
export async function withRig(
  script: Script,
  run: (rig: Rig) => Promise<void>,
  options: Partial<VppOptions> = {},
): Promise<void> {
  const peer = await startPeer(script);
  const clock = manualClock();
  const downs: string[] = [];
  const counts: string[] = [];
  const metrics = {
    count: (name: string, labels = {}) =>
      void counts.push(`${name}{${Object.values(labels).join()}}`),
    gauge: () => {},
    observe: () => {},
  };
  const dataplane = openVpp({ path: peer.path, clock, metrics, ...options });
  dataplane.onDown((reason) => downs.push(reason));
  try {
    await run({ peer, clock, dataplane, downs, counts });
  } finally {
    await dataplane.close();
    await peer.close();
  }
}

/** As above, connected. */
export function withConnected(
  script: Script,
  run: (rig: Rig) => Promise<void>,
  options: Partial<VppOptions> = {},
): Promise<void> {
  const connected = async (rig: Rig) => {
    expectOk(await rig.dataplane.connect());
    await run(rig);
  };
  return withRig(script, connected, options);
}

/** Lets sockets work until something is so. Gives up by the timeout of the test. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets everything already on its way arrive. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
