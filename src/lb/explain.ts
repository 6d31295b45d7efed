/**
 * Plans for people: one line per op, one paragraph per VIP. The signs are those of a change list: `+`
 * added, `-` removed, `~` changed, `!` flows evicted.
 */
import { type LbConf, type LbOp, type VipAttributes, vipKey } from '../../machines/model/lb.js';
import type { Plan, PlanStep } from './steps.js';

export function explain(ops: readonly LbOp[]): readonly string[] {
  return ops.map(explainOp);
}

export function explainPlan({ steps, findings }: Plan): string {
  const paragraphs = [
    ...steps.map(explainStep),
    ...findings.map(({ code, message }) => `left undone (${code})\n  ${message}`),
  ];
  return paragraphs.length === 0 ? 'nothing to do' : paragraphs.join('\n');
}

function explainStep({ kind, key, desired, ops }: PlanStep): string {
  const owner = desired === undefined ? '' : ` for ${desired.frontend}`;
  return [`${kind} ${key}${owner}`, ...explain(ops).map((line) => `  ${line}`)].join('\n');
}

function explainOp(op: LbOp): string {
  switch (op.op) {
    case 'conf.set':
      return `~ conf ${explainConf(op.conf)}`;
    case 'vip.add':
      return `+ vip ${vipKey(op.vip)} (${explainAttributes(op.attributes)})`;
    case 'vip.del':
      return `- vip ${vipKey(op.vip)}`;
    case 'vip.flush':
      return `! vip ${vipKey(op.vip)} every pinned flow chooses again`;
    case 'as.add':
      return `+ as  ${op.as} weight ${op.weight}`;
    case 'as.weight':
      return `${op.flush ? '!' : '~'} as  ${op.as} weight ${op.weight}${op.flush ? ', flush' : ''}`;
    case 'as.del':
      return `- as  ${op.as}`;
  }
}

function explainAttributes({ encap, dscp, srcIpSticky, tableLength }: VipAttributes): string {
  const carried = encap === 'l3dsr' ? `l3dsr dscp ${dscp}` : encap;
  return `${carried}, ${tableLength} buckets${srcIpSticky ? ', sticky by source' : ''}`;
}

function explainConf({ ip4Source, ip6Source, stickyBucketsPerCore, flowTimeoutS }: LbConf): string {
  const source = `source ${ip4Source ?? 'unset'} ${ip6Source ?? 'unset'}`;
  return `${source}, ${stickyBucketsPerCore} sticky buckets, ${flowTimeoutS} s flow timeout`;
}
