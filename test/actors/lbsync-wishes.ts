/** What the lbsync tests wish for, and how they look at what came of it. */
import {
  type DesiredVip,
  type LbOp,
  type Vip,
  type VipAttributes,
  vipKey,
} from '../../machines/model/lb.js';
import type { Message, VipReport } from '../../machines/model/messages.js';
import { explain } from '../../src/lb/explain.js';
import type { StrictLb } from '../support/strict-lb.js';
import { frontendNamed, type LbsyncLab, startLbsync } from './lbsync-lab.js';

export const ATTRIBUTES: VipAttributes = {
  encap: 'gre4',
  dscp: 0,
  srcIpSticky: false,
  tableLength: 1024,
};

export function vipAt(port: number, address = '192.0.2.1'): Vip {
  return { address, prefixLength: 32, protocol: 'tcp', port };
}

export const WEB = vipAt(443);

export function wish(
  frontend: string,
  vip: Vip,
  servers: Readonly<Record<string, number | readonly [number, string]>>,
  change: Partial<DesiredVip> = {},
): DesiredVip {
  return {
    frontend: frontendNamed(frontend),
    vip,
    attributes: ATTRIBUTES,
    servers: Object.entries(servers).map(([address, weight]) =>
      typeof weight === 'number'
        ? { address, weight }
        : { address, weight: weight[0], flushEpisode: weight[1] },
    ),
    revision: 1,
    priority: 100,
    ...change,
  };
}

export function withdrawal(frontend: string, revision = 1): Message {
  const message = { type: 'vip.withdrawn', frontend: frontendNamed(frontend), revision };
  return message;
}

export function weights(lb: StrictLb, vip: Vip): Record<string, number> | undefined {
  const found = lb.vips.get(vipKey(vip));
  return found === undefined ? undefined : Object.fromEntries(found.servers);
}

export function lines(ops: readonly LbOp[]): readonly string[] {
  return explain(ops);
}

export function last(lab: LbsyncLab, frontend: string): VipReport | undefined {
  return lab.reports(frontend).at(-1);
}

/** A site as an earlier process left it: VIP and ledger in place. */
export async function leftBehind(...wishes: readonly DesiredVip[]) {
  const first = startLbsync();
  for (const desired of wishes) first.want(desired);
  await first.settle();
  first.lb.acknowledged.length = 0;
  return { lb: first.lb, ledger: first.ledger };
}

/** Calls `then` when the first op from now on is on its way. */
export function duringNextPass(lab: LbsyncLab, then: () => void): void {
  const { apply } = lab.dataplane;
  lab.dataplane.apply = (op) => {
    lab.dataplane.apply = apply;
    then();
    return apply(op);
  };
}
