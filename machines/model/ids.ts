/**
 * Identities: one brand and exactly one parser each. Nothing else in the tree casts to a brand.
 *
 *   Address      kind/key           one actor, anywhere in the node
 *   TenantId     acme               a name, or 32 hex digits for a project of the tenant manager
 *   GroupKey     acme/web           tenant/group
 *   InstanceId   i-3f2a-0190…       globally unique; the four hex digits are the slot of its group,
 *                                   so that an instance is placed beside its group from its id alone
 *   FrontendName web or acme/web    static, or made from a tenant's template
 */

declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

export type TenantId = Brand<string, 'TenantId'>;
export type GroupKey = Brand<string, 'GroupKey'>;
export type InstanceId = Brand<string, 'InstanceId'>;
export type BackendName = Brand<string, 'BackendName'>;
export type FrontendName = Brand<string, 'FrontendName'>;
export type Address = Brand<string, 'Address'>;

export const ACTOR_KINDS = [
  'tenant',
  'group',
  'instance',
  'backend',
  'frontend',
  'lbsync',
  'pool',
  'block',
  'provider',
  'sweep',
  'guard',
  'outbox',
  'tenancy',
  'reload',
  'override',
  'announcement',
  'suspicion',
  'identity',
  'agent',
  'lease',
  'resource',
  'reporter',
] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

export const NAME_PATTERN = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** The slot stands from the third character to the sixth. */
const INSTANCE_PATTERN = /^i-[0-9a-f]{4}-[0-9a-f]{12,40}$/;

export function isName(text: string): boolean {
  return NAME_PATTERN.test(text);
}

/** Parses outside text. Returns `undefined` rather than throwing: bad input is not a bug. */
export function parseTenantId(text: string): TenantId | undefined {
  return isName(text) ? (text as TenantId) : undefined;
}

export function parseGroupKey(text: string): GroupKey | undefined {
  const [tenant, group, ...rest] = text.split('/');
  const valid = rest.length === 0 && isName(tenant ?? '') && isName(group ?? '');
  return valid ? (text as GroupKey) : undefined;
}

export function parseInstanceId(text: string): InstanceId | undefined {
  return INSTANCE_PATTERN.test(text) ? (text as InstanceId) : undefined;
}

/** A static backend has a name; the backend of an instance has the instance's id. */
export function parseBackendName(text: string): BackendName | undefined {
  return isName(text) || INSTANCE_PATTERN.test(text) ? (text as BackendName) : undefined;
}

export function parseFrontendName(text: string): FrontendName | undefined {
  const parts = text.split('/');
  return parts.length <= 2 && parts.every(isName) ? (text as FrontendName) : undefined;
}

export function parseAddress(text: string): Address | undefined {
  const slash = text.indexOf('/');
  const kind = text.slice(0, slash);
  const known = (ACTOR_KINDS as readonly string[]).includes(kind);
  return known && slash < text.length - 1 ? (text as Address) : undefined;
}

export function addressOf(kind: ActorKind, key: string): Address {
  return `${kind}/${key}` as Address;
}

/** One of the constants, not a piece of the address: it is looked up in tables, and asked for often. */
export function kindOf(address: Address): ActorKind {
  for (let index = 0; index < ACTOR_KINDS.length; index += 1) {
    const kind = ACTOR_KINDS[index] as ActorKind;
    if (address.charCodeAt(kind.length) === SLASH && address.startsWith(kind)) return kind;
  }
  return address.slice(0, address.indexOf('/')) as ActorKind;
}

const SLASH = 47;

export function keyOf(address: Address): string {
  return address.slice(address.indexOf('/') + 1);
}

export function groupKeyOf(tenant: string, group: string): GroupKey {
  return `${tenant}/${group}` as GroupKey;
}

/**
 * Placement slot of a key: 16 bits of FNV-1a, folded. The same on every thread, process and release,
 * because instance ids carry it.
 */
export function slotOfKey(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193) >>> 0;
  }
  return ((hash >>> 16) ^ hash) & 0xffff;
}

/** Builds an instance's id from its group and the decision that asked for it (`index`: which of several). */
export function instanceIdFor(group: GroupKey, decision: string, index: number): InstanceId {
  const slot = slotOfKey(group).toString(16).padStart(4, '0');
  const unique = decision.replaceAll(/[^0-9a-f]/g, '').slice(-32);
  return `i-${slot}-${unique}${index.toString(16).padStart(2, '0')}` as InstanceId;
}

/** Slot of an instance (or of its backend) as carried by its id; `undefined` for other names. */
export function slotOfInstance(id: string): number | undefined {
  return INSTANCE_PATTERN.test(id) ? Number.parseInt(id.slice(2, 6), 16) : undefined;
}
