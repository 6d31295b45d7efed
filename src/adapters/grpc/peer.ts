/**
 * Who calls: what the certificate of a connection says of its holder.
 *
 * Input: the certificate that TLS accepted, if any. Output: an agent (signed by our own authority), an
 * operator (signed by theirs), or nobody. An operator's certificate with a name of the form
 * `spiffe://…/tenant/<t>` is for that tenant alone.
 *
 * Rules: [ID-2] an agent's certificate speaks for the one instance it names; [ID-12] one that has expired
 * names nobody, however long its connection is open.
 */
import { X509Certificate } from 'node:crypto';
import { parseTenantId, type TenantId } from '../../../machines/model/ids.js';
import type { Authority } from '../agent-ca/authority.js';
import { keyDigest } from '../agent-ca/certificate.js';
import { type AgentIdentity, identityIn } from '../agent-ca/identity.js';

export interface AgentPeer {
  readonly kind: 'agent';
  readonly identity: AgentIdentity;
  /** Digest of its key. */
  readonly key: string;
  /** SPKI, DER. */
  readonly publicKey: Buffer;
  readonly notAfterMs: number;
}

export interface OperatorPeer {
  readonly kind: 'operator';
  /** Who is to be named in the journal. */
  readonly name: string;
  /** Absent: of all. */
  readonly tenant?: TenantId;
}

export type Peer = AgentPeer | OperatorPeer | { readonly kind: 'nobody' };

export const UNIX_PEER: OperatorPeer = { kind: 'operator', name: 'unix' };
const NOBODY: Peer = { kind: 'nobody' };

export function peerOf(raw: Buffer | undefined, authority: Authority, nowMs: number): Peer {
  const certificate = raw === undefined ? undefined : new X509Certificate(raw);
  if (certificate === undefined || Date.parse(certificate.validTo) <= nowMs) return NOBODY;
  const { x509 } = authority;
  const isOurs = certificate.checkIssued(x509) && certificate.verify(x509.publicKey);
  return isOurs ? agentIn(certificate, authority) : operatorIn(certificate);
}

function agentIn(certificate: X509Certificate, { installation }: Authority): Peer {
  const [uri, ...others] = urisOf(certificate);
  const identity = uri === undefined ? undefined : identityIn(uri, installation);
  if (identity === undefined || others.length > 0) return NOBODY;
  const notAfterMs = Date.parse(certificate.validTo);
  const publicKey = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return { kind: 'agent', identity, key: keyDigest(certificate.publicKey), publicKey, notAfterMs };
}

/** A tenant that cannot be read is not left out: such a certificate is for nothing. */
function operatorIn(certificate: X509Certificate): Peer {
  const name = /^CN=(.{1,128})$/m.exec(certificate.subject)?.[1] ?? certificate.serialNumber;
  const scopes = urisOf(certificate).filter((uri) => uri.startsWith('spiffe://'));
  const [scope, ...others] = scopes;
  if (scope === undefined) return { kind: 'operator', name };
  const text = /^spiffe:\/\/[^/]+\/tenant\/([^/]+)$/.exec(scope)?.[1] ?? '';
  const tenant = parseTenantId(text);
  return tenant === undefined || others.length > 0 ? NOBODY : { kind: 'operator', name, tenant };
}

function urisOf({ subjectAltName }: X509Certificate): readonly string[] {
  const names = subjectAltName?.split(', ') ?? [];
  return names.filter((name) => name.startsWith('URI:')).map((name) => name.slice('URI:'.length));
}
