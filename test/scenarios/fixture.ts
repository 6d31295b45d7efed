/**
 * The site that the dataplane's scenarios (docs/SCENARIOS.md) are told on: two pools of two backends
 * behind `web`, with the switches of the system they come from. Tests replace lines to get ours.
 *
 * Requests are told as VPP hears them: `VIP+` `VIP-` `AS+(.11,100)` `AS-(.11)` `W(.12,50)`, with `!`
 * for a flush; only the last part of an IPv4 address is named.
 */
import type { JsonObject } from '../../machines/model/json.js';
import type { LbOp } from '../../machines/model/lb.js';
import type { Behaviour } from '../contract/prober.js';
import { fakeProber, HEALTHY } from '../support/fake-prober.js';
import type { Edits } from '../support/site.js';
import { type Past, startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

export const REFUSES: Behaviour = { kind: 'refuses' };
export const SILENT: Behaviour = { kind: 'silent' };

export const B1 = '10.0.0.11';
export const B2 = '10.0.0.12';
export const B3 = '10.0.0.21';
export const B4 = '10.0.0.22';

/** What makes a frontend behave as it does in the source system. */
const SOURCE_SWITCHES = `unknown: zero
    allDown: zero
    activeWhile: 0%
    failBack: { at: 0%, holdFor: 0s }
    tableLength: 1024
`;

const FIXTURE = `
healthChecks:
  ok: { type: http, port: 80, interval: 1s, fastInterval: 200ms, downInterval: 5s, timeout: 500ms, rise: 2, fall: 3, snap: false, jitter: 0% }
backends:
  b1: { address: ${B1}, healthCheck: ok }
  b2: { address: ${B2}, healthCheck: ok }
  b3: { address: ${B3}, healthCheck: ok }
  b4: { address: ${B4}, healthCheck: ok }
frontends:
  web:
    address: 192.0.2.1
    port: 443
    flushOnDown: true
    ${SOURCE_SWITCHES}
    pools:
      - { name: primary, members: [{ backend: b1, weight: 100 }, { backend: b2, weight: 50 }] }
      - { name: fallback, members: [{ backend: b3 }, { backend: b4 }] }
dataplane: { weightScale: exact, ownership: exclusive, startupMinDelay: 0s, startupMaxDelay: 0s, syncInterval: 30s }
`;

/** As the source system behaves. An edit that finds nothing is a mistake of the test. */
export function fixture(edits: Edits = []): string {
  return edits.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the fixture has no '${from}'`);
    return text.replace(from, to);
  }, FIXTURE);
}

/** The same site with this release's defaults. */
export function ours(edits: Edits = []): string {
  const defaults: Edits = [
    [SOURCE_SWITCHES, ''],
    ['snap: false, ', ''],
    ['weightScale: exact, ownership: exclusive, ', ''],
  ];
  return fixture([...defaults, ...edits]);
}

export function behave(node: VirtualNode, address: string, behaviour: Behaviour): void {
  node.prober.behave({ address, port: 80 }, behaviour);
}

/** A node on this configuration whose backends answer from the start. */
export function started(text: string, seed = 1, past: Past = {}): Promise<VirtualNode> {
  const prober = fakeProber();
  for (const address of [B1, B2, B3, B4]) prober.behave({ address, port: 80 }, HEALTHY);
  return startVirtualNode(text, seed, { prober, ...past });
}

/** A node whose VIP stands, with nothing left to do. */
export async function synced(text: string, seed = 1): Promise<VirtualNode> {
  const node = await started(text, seed);
  await node.clock.advance(10_000);
  return node;
}

/** Requests that VPP acknowledged after the first `from`. */
export function callsSince(node: VirtualNode, from: number): readonly string[] {
  return node.lb.acknowledged.slice(from).map(said);
}

/** What VPP is asked meanwhile. */
export async function callsDuring(
  node: VirtualNode,
  what: () => unknown,
): Promise<readonly string[]> {
  const from = node.lb.acknowledged.length;
  await what();
  return callsSince(node, from);
}

function said(op: LbOp): string {
  switch (op.op) {
    case 'conf.set':
      return 'CONF';
    case 'vip.add':
      return 'VIP+';
    case 'vip.del':
      return 'VIP-';
    case 'vip.flush':
      return 'FLUSH';
    case 'as.add':
      return `AS+(${short(op.as)},${op.weight})`;
    case 'as.weight':
      return `W${op.flush ? '!' : ''}(${short(op.as)},${op.weight})`;
    case 'as.del':
      return `AS-(${short(op.as)})`;
  }
}

function short(address: string): string {
  return address.includes('.') ? address.slice(address.lastIndexOf('.')) : address;
}

/** Address → weight of the only VIP, or of the one with this address. */
export function weightsOf(node: VirtualNode, address?: string): Readonly<Record<string, number>> {
  const vip = [...node.lb.vips.values()].find(
    (one) => address === undefined || one.vip.address === address,
  );
  return Object.fromEntries([...(vip?.servers ?? [])].map(([as, weight]) => [short(as), weight]));
}

/** VPP comes back with nothing, as another process. */
export function restartVpp(node: VirtualNode): void {
  node.lb.restart();
  node.dataplane.pid += 1;
  node.dataplane.drop('VPP restarted');
}

export function backend(node: VirtualNode, name: string): JsonObject {
  return node.views('backend').find((one) => one['name'] === name) ?? {};
}

export function frontend(node: VirtualNode, name = 'web'): JsonObject {
  return node.views('frontend').find((one) => one['name'] === name) ?? {};
}

/** States a backend was seen to go through, e.g. `unknown>up`. */
export function historyOf(node: VirtualNode, name: string): readonly string[] {
  const { transitions } = backend(node, name);
  return (transitions as readonly JsonObject[]).map(({ from, to }) => `${from}>${to}`);
}

export function conditionTypes(node: VirtualNode): readonly string[] {
  const [lbsync] = node.views('lbsync');
  const conditions = (lbsync?.['conditions'] ?? []) as readonly JsonObject[];
  return conditions.map(({ type }) => String(type));
}
