/** One tenant driven by hand: the events it gets, and what it says, as short words. */
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf } from '../../machines/model/ids.js';
import { tenantMachine } from '../../machines/tenant.js';
import type { TenantMemory } from '../../machines/tenant-memory.js';
import type { LettersParams, StatusParams } from '../../machines/tenant-messages.js';
import { type Driven, drive } from './drive.js';
import { groupSpec } from './group-spec.js';
import { ACME, frontendStatus, groupStatus, type TenantParts, tenantSpec } from './tenant-spec.js';

export type Tenant = Driven<TenantMemory>;

export const desired = (parts: TenantParts = {}) => ({
  type: 'tenant.desired',
  spec: tenantSpec(parts),
});
export const removed = (undoWindowMs = 300_000) => ({ type: 'tenant.removed', undoWindowMs });
export const problem = (message = 'no template') => ({ type: 'tenant.problem', message });
export const groupSays = (change = {}, name = 'web') => ({
  type: 'group.status',
  status: groupStatus(name, change),
});
export const frontendSays = (change = {}, name = 'web') => ({
  type: 'frontend.status',
  status: frontendStatus(name, change),
});
const WHO = { owner: 'batch', reason: 'a job' };
/** What a configuration makes of a wish for so many. */
export function planOf(size = 2) {
  const {
    key: _key,
    tenant: _tenant,
    frontends: _all,
    generation: _,
    ...plan
  } = groupSpec({ size });
  return plan;
}
export const ordered = (size = 2, name = 'jobs') => ({
  type: 'operator.orderGroup',
  ...{ name, wish: { template: 'web', size }, plan: planOf(size), ...WHO },
});
export const dismissed = (name = 'jobs') => ({ type: 'operator.dismissGroup', name, ...WHO });
export const SLEEP = { type: 'operator.sleep', ...WHO };
export const WAKE = { type: 'operator.wake', ...WHO };
export const UNDELETE = { type: 'tenant.undelete' };

export function fresh(): Tenant {
  const input = { address: addressOf('tenant', ACME) };
  return drive<TenantMemory>(tenantMachine, input).send({ type: 'activated' });
}

export const accepted = (parts: TenantParts = {}): Tenant => fresh().send(desired(parts));
export const converged = (parts: TenantParts = {}): Tenant =>
  accepted(parts).send(groupSays()).send(frontendSays());

export const records = (tenant: Tenant): string =>
  tenant
    .said<RecordParams>('record')
    .map(({ event }) => event)
    .join(' ');

export function letters(tenant: Tenant, effect: 'order' | 'repeat' = 'order'): string {
  return tenant
    .said<LettersParams>(effect)
    .flatMap((params) => params.letters)
    .map(({ to, message }) => `${to} ${message.type.split('.')[1]}`)
    .join(', ');
}

export function status(tenant: Tenant): string {
  const told = [
    ...tenant.said<StatusParams>('tellStatus'),
    ...tenant.said<StatusParams>('repeatStatus'),
  ];
  return told.map(({ to, status: { state } }) => `${to ?? 'nobody'} ${state}`).join(', ');
}
