/** Messages to walk the machines of overrides, announcements and identities with. */

import type { LeaseAnswer } from '../../machines/lease.js';
import type { AnnouncementMessage } from '../../machines/model/announce.js';
import type { Activated } from '../../machines/model/effects.js';
import type { GuardMessage } from '../../machines/model/guard.js';
import type { IdentityMessage } from '../../machines/model/identity.js';
import {
  type BackendName,
  groupKeyOf,
  type InstanceId,
  type TenantId,
} from '../../machines/model/ids.js';
import type { LeaseMessage } from '../../machines/model/lease.js';
import type { SweepMessage } from '../../machines/model/orphans.js';
import type { OverrideMessage } from '../../machines/model/overrides.js';
import type { SuspicionMessage } from '../../machines/model/suspicion.js';
import type { HearingCounted, RoundTurn } from '../../machines/suspicion.js';
import { TERMS } from './book.js';
import { WEB } from './group-spec.js';

const activated = { type: 'activated', children: [] } as const;

const announceLevel = {
  frontend: WEB,
  address: '192.0.2.1',
  protocol: 'tcp',
  port: 80,
  wanted: true,
  reason: 'up',
  gone: false,
  hook: { command: ['hook'], timeoutMs: 1_000, holdDownMs: 500, enabled: true },
} as const;
export const announcement: readonly (AnnouncementMessage | Activated)[] = [
  activated,
  { type: 'announce.level', level: announceLevel },
  { type: 'announce.level', level: { ...announceLevel, wanted: false, reason: 'down' } },
  { type: 'announce.level', level: { ...announceLevel, wanted: false, gone: true } },
  { type: 'announce.unhooked' },
  { type: 'announce.undecided' },
  ...[1, 2, 3].flatMap((call) => [
    { type: 'hook.finished', call, failure: null } as const,
    { type: 'hook.finished', call, failure: { code: 'failed', message: 'no' } } as const,
  ]),
];

const standing = { fleet: 'f', writer: 'w', node: 'edge-1', epoch: 3 };
export const lease: readonly (LeaseMessage | LeaseAnswer | Activated)[] = [
  activated,
  { type: 'lease.begin', pollIntervalMs: 1_000 },
  { type: 'lease.granted' },
  { type: 'lease.refused', message: 'edge-2 holds the lease' },
  { type: 'lease.lost', message: 'it ran out' },
  { type: 'fleet.prepared', standing },
  { type: 'fleet.unprepared', message: 'away' },
  { type: 'fleet.takenUp' },
  { type: 'fleet.notTakenUp', message: 'away' },
  { type: 'feed.acknowledged', upTo: 7, lost: [3] },
];

const counted = { type: 'hearing.counted', silent: 5, total: 8 } as const;
export const suspicion: readonly (SuspicionMessage | HearingCounted | RoundTurn | Activated)[] = [
  activated,
  {
    type: 'hearing.level',
    backend: 'b1' as BackendName,
    hearing: 'silent',
    doubts: true,
    round: 0,
  },
  { type: 'round.doubted' },
  { type: 'round.concluded' },
  { ...counted, suspect: true },
  { ...counted, suspect: false },
];

const stranger = {
  providerId: 'p-9',
  token: 't-9',
  tenant: 'acme' as TenantId,
  group: groupKeyOf('acme', 'web'),
  instance: 'i-0000-000000000009' as InstanceId,
  address: '127.64.0.9',
  why: 'unknown',
} as const;
const sweepSettings = { provider: 'local', intervalMs: 300_000, quarantineMs: 0 } as const;
export const sweep: readonly (SweepMessage | Activated)[] = [
  activated,
  { type: 'sweep.settings', settings: { ...sweepSettings, mode: 'report' } },
  { type: 'sweep.settings', settings: { ...sweepSettings, mode: 'delete' } },
  { type: 'operator.sweep' },
  { type: 'orphans.listed', strangers: [], listed: 3, adopted: 0 },
  { type: 'orphans.listed', strangers: [stranger], listed: 4, adopted: 1 },
  { type: 'orphans.listed', strangers: [{ ...stranger, why: 'leftover' }], listed: 4, adopted: 0 },
  { type: 'orphans.unlisted', failure: { code: 'unavailable', message: 'no' } },
  { type: 'provider.deleted', providerId: 'p-9' },
  { type: 'provider.deleteFailed', providerId: 'p-9', failure: { code: 'quota', message: 'no' } },
];

const wish = { to: 0, count: 4, sinceMs: 1_000_000, reason: 'tenant-removed' } as const;
export const guard: readonly (GuardMessage | Activated)[] = [
  activated,
  { type: 'guard.settings', settings: { share: 0.25, min: 3, windowMs: 600_000 } },
  { type: 'guard.level', population: 8, wish: null },
  { type: 'guard.level', population: 8, wish },
  { type: 'guard.level', population: 8, wish: { ...wish, to: 6, count: 2, sinceMs: 1_000_001 } },
  { type: 'guard.level', population: 0, wish: null },
  { type: 'operator.confirm', reason: 'moved away', owner: 'ops' },
];

const order = { kind: 'pause', value: true, configured: false, ...TERMS };
const clear = { type: 'override.clear', by: 'operator', owner: 'ops', reason: 'over' } as const;
export const override: readonly (OverrideMessage | Activated)[] = [
  activated,
  { type: 'override.order', order },
  { type: 'override.order', order: { ...order, forMs: null }, replyTo: 'ask' },
  { type: 'override.order', order: { ...order, kind: 'enabled', note: 'so' } },
  { ...clear, kinds: ['pause'] },
  { ...clear, kinds: ['pause', 'enabled'], by: 'configuration' },
];

const down = { type: 'down' } as const;
export const identity: readonly (IdentityMessage | Activated)[] = [
  activated,
  { type: 'identity.enrol', key: 'key-1' },
  { type: 'identity.enrol', key: 'key-2' },
  { type: 'identity.check', key: 'key-1' },
  { type: 'identity.check', key: 'key-2' },
  { type: 'identity.revoke', reason: 'stolen' },
  { ...down, reason: 'thread-lost' },
  { ...down, reason: 'quarantined' },
  { ...down, reason: 'forgotten' },
];
