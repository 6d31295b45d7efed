/**
 * Who an agent is, as its certificate says: a SPIFFE name below this installation.
 *
 *   spiffe://<installation>/tenant/<t>/group/<g>/instance/<id>
 *
 * Rules: [ID-2] the name is taken whole or not at all: what is not exactly of this form, or of another
 * installation, names nobody.
 */

import type { InstanceId, TenantId } from '../../../machines/model/ids.js';
import { parseInstanceId, parseTenantId } from '../../../machines/model/ids.js';

export interface AgentIdentity {
  readonly tenant: TenantId;
  /** Its name within the tenant. */
  readonly group: string;
  readonly instance: InstanceId;
}

const URI = /^spiffe:\/\/([a-z0-9.-]+)\/tenant\/([^/]+)\/group\/([^/]+)\/instance\/([^/]+)$/;

export function uriOf({ tenant, group, instance }: AgentIdentity, installation: string): string {
  return `spiffe://${installation}/tenant/${tenant}/group/${group}/instance/${instance}`;
}

export function identityIn(uri: string, installation: string): AgentIdentity | undefined {
  const [, domain, tenantText = '', group = '', instanceText = ''] = URI.exec(uri) ?? [];
  const tenant = parseTenantId(tenantText);
  const instance = parseInstanceId(instanceText);
  // A group is named by the same words as a tenant.
  const named =
    tenant !== undefined && instance !== undefined && parseTenantId(group) !== undefined;
  return named && domain === installation ? { tenant, group, instance } : undefined;
}
