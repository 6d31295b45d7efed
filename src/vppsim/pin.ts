/**
 * Sticky flows on command: the simulator forwards no packets, so it has exactly the flows it is told
 * to have. They keep a removed AS from being collected, until a flush or an explicit 0.
 */
import { addressText } from './addresses.js';
import type { SimState } from './dispatch.js';
import { vipText } from './op-log.js';
import { replace } from './pool.js';

export interface Pin {
  /** `192.0.2.1/32 tcp 443` */
  readonly vip: string;
  readonly as: string;
  readonly flows: number;
}

/** `undefined` when there is no such AS, removed ones included. */
export function pinned(state: SimState, pin: Pin): SimState | undefined {
  const { vips } = state.lb;
  const slot = vips.slots.findIndex((vip) => vip !== undefined && vipText(vip) === pin.vip);
  const vip = vips.slots[slot];
  if (vip === undefined) return undefined;
  const index = vip.servers.slots.findIndex((as) => as && addressText(as.address) === pin.as);
  const as = vip.servers.slots[index];
  if (as === undefined) return undefined;
  const servers = replace(vip.servers, index, { ...as, flows: pin.flows });
  const lb = { ...state.lb, vips: replace(vips, slot, { ...vip, servers }) };
  return { ...state, lb };
}
