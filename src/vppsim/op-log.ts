/**
 * The op log: one JSON line for each state-changing request, in the order VPP executed them, and
 * one for each violation and each event of the process. It is how a test, or an operator, sees what
 * a client really did.
 *
 * Lines are on disk before the reply leaves, so a crash loses none. The file is continued when it
 * exists, and starts anew at a bound.
 */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { addressText, isIp4, prefixText } from './addresses.js';
import { limits } from './limits.js';
import { keyOf, PROTOCOL_ANY, PROTOCOL_TCP, PROTOCOL_UDP } from './plugin/lookup.js';
import type { LbRequest } from './plugin/requests.js';
import type { VipKey } from './plugin/state.js';

/** A request in people's words. `vip` reads `192.0.2.1/32 tcp 443`. */
export interface OpWords {
  readonly op: LbRequest['op'];
  readonly vip?: string;
  readonly as?: string;
  readonly weight?: number;
  readonly flush?: boolean;
  readonly [attribute: string]: unknown;
}

export type LogBody =
  | (OpWords & { readonly retval: number })
  | {
      readonly violation: string;
      readonly fatal: boolean;
      readonly what: string;
      readonly request?: OpWords;
    }
  | { readonly event: string; readonly [detail: string]: unknown };

export type LogLine = { readonly seq: number; readonly at: number } & LogBody;
export type OpLine = Extract<LogLine, { readonly retval: number }>;
export type ViolationLine = Extract<LogLine, { readonly violation: string }>;

export interface OpLog {
  write(at: number, body: LogBody): void;
  /** Lines written by this process, oldest first; bounded. */
  lines(): readonly LogLine[];
  close(): void;
}

export function openOpLog(path: string): OpLog {
  let file = openSync(path, 'a', 0o640);
  let bytes = fstatSync(file).size;
  let seq = 0;
  let lines: LogLine[] = [];
  return {
    write(at, body) {
      seq += 1;
      const line: LogLine = { seq, at, ...body };
      const text = Buffer.from(`${JSON.stringify(line)}\n`);
      if (bytes + text.length > limits.opLogBytes) {
        closeSync(file);
        renameSync(path, `${path}.1`);
        file = openSync(path, 'a', 0o640);
        bytes = 0;
      }
      bytes += writeSync(file, text);
      lines.push(line);
      if (lines.length > 2 * limits.opsKept) lines = lines.slice(-limits.opsKept);
    },
    lines: () => lines.slice(-limits.opsKept),
    close: () => closeSync(file),
  };
}

const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  [PROTOCOL_ANY]: 'any',
  [PROTOCOL_TCP]: 'tcp',
  [PROTOCOL_UDP]: 'udp',
};
const ENCAP_NAMES = ['gre4', 'gre6', 'l3dsr', 'nat4', 'nat6'];

export function vipText(vip: VipKey): string {
  const protocol = PROTOCOL_NAMES[vip.protocol] ?? `protocol-${vip.protocol}`;
  return `${prefixText(vip.prefix, vip.prefixLength)} ${protocol} ${vip.port}`;
}

export function wordsOf(request: LbRequest): OpWords {
  const { op } = request;
  if (op === 'conf.set') {
    const { stickyBucketsPerCore, flowTimeoutS } = request;
    return { op, ...sourceTexts(request), stickyBucketsPerCore, flowTimeoutS };
  }
  if (op === 'nat.interface') {
    const { family, enable, interfaceIndex } = request;
    return { op, family, enable, interfaceIndex };
  }
  const vip = vipText(keyOf(request.vip));
  if (op === 'vip.del' || op === 'vip.flush') return { op, vip };
  if (op === 'vip.add') {
    const { dscp, targetPort, tableLength, srcIpSticky } = request;
    const encap = ENCAP_NAMES[request.encap] ?? String(request.encap);
    return { op, vip, encap, dscp, targetPort, tableLength, srcIpSticky };
  }
  const as = addressText(request.as);
  if (op === 'as.del') return { op, vip, as, flush: request.flush };
  return { op, vip, as, weight: request.weight, flush: request.flush };
}

/** The source addresses of `lb_conf`, whose IPv4 one is no 16-byte address. */
export function sourceTexts(conf: { readonly ip4Source: string; readonly ip6Source: string }): {
  readonly ip4Source: string;
  readonly ip6Source: string;
} {
  const ip4Source = addressText(conf.ip4Source.padStart(32, '0'));
  const ip6Source = isIp4(conf.ip6Source)
    ? `::${addressText(conf.ip6Source)}`
    : addressText(conf.ip6Source);
  return { ip4Source, ip6Source };
}
