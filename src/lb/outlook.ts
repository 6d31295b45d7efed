/**
 * From what each frontend would want to what VPP would be asked, and what that does to its traffic.
 *
 * Input:  per frontend the VIP it would want (none: it goes), the one it asked for last, and what VPP
 *         was last heard to have.
 * Output: per VIP, in the order of the plan: requests, bucket counts before and after, the share of
 *         new flows that move, rebuilds of VPP's table and an estimate of the pause; and what cannot
 *         be done, in words.
 *
 * Rules: [LB-66] the plan is the one lbsync would make of the same wishes with leave to re-create, and
 * what it predicts is what VPP then shows.
 */

import { assert } from '../../machines/model/assert.js';
import type { FrontendName } from '../../machines/model/ids.js';
import {
  type ActualVip,
  type DesiredVip,
  type LbOp,
  type VipAttributes,
  type VipKey,
  vipKey,
} from '../../machines/model/lb.js';
import { type BucketChange, forecast } from './forecast.js';
import { adopt, createMemory } from './memory.js';
import { packActual, packDesired, unpackDesired } from './packed/vips.js';
import { diffAll } from './plan.js';
import type { Finding, PlanStep } from './steps.js';

/** What VPP was heard to have at the VIP that a frontend asked for last. */
export type Found = Pick<ActualVip, 'encap' | 'tableLength' | 'servers'>;

export interface FrontendOutlook {
  readonly frontend: FrontendName;
  readonly wanted: DesiredVip | undefined;
  readonly sent: DesiredVip | undefined;
  /** Absent: VPP does not have it, or nobody has asked yet. */
  readonly found: Found | undefined;
}

export interface VipOutlook {
  readonly frontend: FrontendName;
  readonly vip: VipKey;
  readonly ops: readonly LbOp[];
  readonly buckets: readonly BucketChange[];
  readonly movedNewFlows: number;
  readonly rebuilds: number;
  readonly estimatedPauseUs: number;
}

export interface DataplaneOutlook {
  readonly vips: readonly VipOutlook[];
  readonly findings: readonly Finding[];
}

export function outlook(frontends: readonly FrontendOutlook[]): DataplaneOutlook {
  const present = new Map(frontends.flatMap(presentIn));
  const wanted = frontends.flatMap((one) => one.wanted ?? []);
  const ledger = new Map<VipKey, VipAttributes>();
  const memory = createMemory();
  for (const [key, { actual, sent }] of present) {
    ledger.set(key, sent.attributes);
    adopt(memory, packActual(actual), packDesired(sent));
  }
  const actual = new Map([...present].map(([key, one]) => [key, packActual(one.actual)]));
  const { steps, findings } = diffAll(actual, wanted.map(packDesired), {
    ownership: 'ledger',
    ledger,
    held: new Set(),
    removable: 'all',
    memory,
  });
  return { vips: perVip(steps).map((some) => foretell(some, present)), findings };
}

interface Present {
  readonly actual: ActualVip;
  readonly sent: DesiredVip;
}

function presentIn({ sent, found }: FrontendOutlook): (readonly [VipKey, Present])[] {
  if (sent === undefined || found === undefined) return [];
  const { vip, attributes } = sent;
  const { encap, tableLength, servers } = found;
  return [
    [vipKey(vip), { actual: { vip, encap, dscp: attributes.dscp, tableLength, servers }, sent }],
  ];
}

/** Removing a VIP and making it again is one change of it, unless others must go in between. */
function perVip(steps: readonly PlanStep[]): readonly (readonly PlanStep[])[] {
  const runs: PlanStep[][] = [];
  for (const step of steps) {
    const run = runs.at(-1);
    if (run?.[0]?.key === step.key) run.push(step);
    else runs.push([step]);
  }
  return runs;
}

function foretell(steps: readonly PlanStep[], present: ReadonlyMap<VipKey, Present>): VipOutlook {
  const [first] = steps;
  const key = first?.key ?? '';
  const before = present.get(key);
  const packed = steps.find(({ desired }) => desired !== undefined)?.desired;
  const desired = packed === undefined ? emptied(before) : unpackDesired(packed);
  const ops = steps.flatMap((step) => step.ops);
  return { frontend: desired.frontend, vip: key, ops, ...forecast(before?.actual, desired, ops) };
}

/** A VIP that goes: nobody owns a bucket of it. */
function emptied(before: Present | undefined): DesiredVip {
  assert(before !== undefined, 'a VIP that is not there cannot go');
  return { ...before.sent, servers: [] };
}
