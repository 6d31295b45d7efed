/**
 * A frontend in a laboratory: the site it belongs to, messages in few words, and what it said in few
 * words. Weights read `.11=2 .12=1!`: last byte of the address, weight on the frontend's scale, `!` with
 * a flush.
 */
import { frontendMachine } from '../../machines/frontend.js';
import type { FrontendMemory } from '../../machines/frontend-memory.js';
import type { AckParams } from '../../machines/frontend-messages.js';
import type { FrontendSpec, PoolMemberSpec } from '../../machines/model/desired.js';
import type { RecordParams } from '../../machines/model/effects.js';
import {
  addressOf,
  type BackendName,
  type FrontendName,
  type GroupKey,
  type InstanceId,
} from '../../machines/model/ids.js';
import type { DesiredVip } from '../../machines/model/lb.js';
import type { Wished } from '../../machines/model/lbsync-messages.js';
import type {
  FrontendMessage,
  HealthState,
  MemberLevel,
  VipReport,
} from '../../machines/model/messages.js';
import { type Driven, drive } from './drive.js';

export type Frontend = Driven<FrontendMemory>;

export const WEB = 'web' as FrontendName;
const GROUP = 'acme/web' as GroupKey;
export const OWNER = addressOf('tenant', 'acme');
export const I1 = 'i-0000-000000000001' as InstanceId;
export const I2 = 'i-0000-000000000002' as InstanceId;

export const backend = (name: string, address: string, weight = 100): PoolMemberSpec => ({
  ref: { kind: 'backend', backend: name as BackendName, address },
  weight,
});
export const group: PoolMemberSpec = {
  ref: { kind: 'group', group: GROUP, maxSize: 4 },
  weight: 100,
};

export const B1 = '10.0.0.11';
export const B2 = '10.0.0.12';
export const B3 = '10.0.0.21';
const ADDRESSES: Readonly<Record<string, string>> = {
  b1: B1,
  b2: B2,
  b3: B3,
  [I1]: '10.1.0.1',
  [I2]: '10.1.0.2',
};

const SPEC: FrontendSpec = {
  name: WEB,
  address: '192.0.2.1',
  protocol: 'tcp',
  port: 443,
  encap: 'auto',
  dscp: 0,
  srcIpSticky: false,
  weightScale: 'reduced',
  flushOnDown: true,
  unknown: 'keep',
  allDown: 'keep',
  activeWhile: 0.3,
  failBack: { at: 0.5, holdForMs: 10_000 },
  priority: 100,
  startupMaxDelayMs: 30_000,
  pools: [
    { name: 'primary', members: [backend('b1', B1, 100), backend('b2', B2, 50)] },
    { name: 'fallback', members: [backend('b3', B3, 100)] },
  ],
  generation: 1,
};
export const GROUPED: Partial<FrontendSpec> = { pools: [{ name: 'primary', members: [group] }] };
export const { address: _literal, ...NO_ADDRESS } = SPEC;
export const POOLED: FrontendSpec = { ...NO_ADDRESS, addressFrom: 'public' };

export const desired = (change: Partial<FrontendSpec> = {}): FrontendMessage => ({
  type: 'frontend.desired',
  spec: { ...SPEC, ...change },
  owner: OWNER,
});

export function verdict(name: string, state: HealthState, positive = false): FrontendMessage {
  const address = ADDRESSES[name] ?? '';
  const episode = `${name} ${state}`;
  const base = { backend: name as BackendName, address, state, positive, episode };
  return { type: 'backend.verdict', verdict: { ...base, sinceMs: 0, code: 'L4OK' } };
}

export function level(member: InstanceId, change: Partial<MemberLevel> = {}): FrontendMessage {
  const address = ADDRESSES[member] ?? '';
  const asked = { phase: 'in', dead: false, lastMayGo: false };
  const base = { member, revision: 1, group: GROUP, address, ...asked };
  return { type: 'member.level', level: { ...base, ...change } as MemberLevel };
}

/** The report follows whatever wish the frontend it is given to has sent last. */
const NEWEST = -1;

/** VPP as reported: `{ '10.0.0.11': 2 }`. */
export function report(servers: Readonly<Record<string, number>>, change: Partial<VipReport> = {}) {
  const found = Object.entries(servers).map(([address, weight]) => ({
    address,
    weight,
    buckets: 1,
  }));
  const conf = { encap: 'gre4', tableLength: 1024 };
  const base = {
    frontend: WEB,
    revision: NEWEST,
    synced: true,
    exists: true,
    servers: found,
    conf,
  };
  return { type: 'vip.applied', report: { ...base, ...change } } as FrontendMessage;
}

export function fresh(): Frontend {
  const input = { address: addressOf('frontend', WEB) };
  return drive<FrontendMemory>(frontendMachine, input).send({ type: 'activated' });
}

/** The store has committed what was decided last. */
export function committed(frontend: Frontend): Frontend {
  return frontend.send({ type: 'frontend.decided', revision: frontend.context.revision } as never);
}

export const created = (change: Partial<FrontendSpec> = {}): Frontend =>
  committed(fresh().send(desired(change)));

export function after(frontend: Frontend, ...messages: readonly FrontendMessage[]): Frontend {
  return messages.reduce((next, message) => next.send(addressed(next, message)), frontend);
}

function addressed({ context }: Frontend, message: FrontendMessage): FrontendMessage {
  if (message.type !== 'vip.applied' || message.report.revision !== NEWEST) return message;
  return { ...message, report: { ...message.report, revision: context.wish } };
}

export const allUp = (): Frontend =>
  after(created(), verdict('b1', 'up'), verdict('b2', 'up'), verdict('b3', 'up'));

/** `.11=2 .12=1!`: weights by the last byte, `!` with a flush. */
export function said(vip: DesiredVip | null | undefined): string {
  return (vip?.servers ?? [])
    .map(({ address, weight, flushEpisode }) => {
      const last = address.slice(address.lastIndexOf('.'));
      return `${last}=${weight}${flushEpisode === undefined ? '' : '!'}`;
    })
    .join(' ');
}

export const sent = (frontend: Frontend) => said(frontend.context.sent);
export const sends = (frontend: Frontend) =>
  frontend.said<Wished>('sendDesired').map(({ desired }) => desired);
export const records = (frontend: Frontend) =>
  frontend.said<RecordParams>('record').map(({ event }) => event);
export const acks = (frontend: Frontend) =>
  frontend
    .said<readonly AckParams[]>('acknowledge')
    .flat()
    .map(({ to, ack }) => `${to.slice(-1)} ${ack.phase} ${ack.weight}`);
export const inState = (frontend: Frontend) =>
  typeof frontend.value === 'string' ? frontend.value : Object.keys(frontend.value as object)[0];
