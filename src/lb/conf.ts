/**
 * VPP's global load balancer settings: which of them must be sent.
 *
 * Input:  what VPP has, and the settings given in configuration (absent: left alone).
 * Output: one `conf.set` carrying all four values, or nothing.
 *
 * Rules: [LB-15] a value that is not configured keeps what VPP has; VPP overwrites both source
 * addresses at every write, so the one that is left alone is sent again.
 */
import type { LbConf, LbOp } from '../../machines/model/lb.js';
import { VPP_FLOW_TIMEOUT_DEFAULT_S, VPP_STICKY_BUCKETS_DEFAULT } from './limits.js';

export interface ConfSettings {
  readonly ip4Source?: string;
  readonly ip6Source?: string;
  readonly stickyBucketsPerCore?: number;
  readonly flowTimeoutS?: number;
}

export function diffConf(actual: LbConf, settings: ConfSettings): LbOp | undefined {
  const conf: LbConf = {
    ip4Source: settings.ip4Source ?? actual.ip4Source,
    ip6Source: settings.ip6Source ?? actual.ip6Source,
    stickyBucketsPerCore: settings.stickyBucketsPerCore ?? actual.stickyBucketsPerCore,
    flowTimeoutS: settings.flowTimeoutS ?? actual.flowTimeoutS,
  };
  return sameConf(conf, actual) ? undefined : { op: 'conf.set', conf };
}

function sameConf(left: LbConf, right: LbConf): boolean {
  return (
    left.ip4Source === right.ip4Source &&
    left.ip6Source === right.ip6Source &&
    left.stickyBucketsPerCore === right.stickyBucketsPerCore &&
    left.flowTimeoutS === right.flowTimeoutS
  );
}

/** As in a VPP that was just started and never told anything. */
export function isDefaultConf(conf: LbConf): boolean {
  return (
    conf.ip4Source === undefined &&
    conf.ip6Source === undefined &&
    conf.stickyBucketsPerCore === VPP_STICKY_BUCKETS_DEFAULT &&
    conf.flowTimeoutS === VPP_FLOW_TIMEOUT_DEFAULT_S
  );
}
