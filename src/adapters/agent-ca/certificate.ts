/**
 * X.509 certificates, made: what is to be certified in, DER out. ECDSA on P-256 signs; the key certified
 * may be of another kind.
 *
 * Node reads certificates and makes none; their structures come from a library, keys and signatures from
 * Node.
 */
import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
} from '@peculiar/asn1-x509';

export interface CertificateRequest {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly use: 'authority' | 'client' | 'server';
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
}

export interface Issuer {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';

export function makeCertificate(request: CertificateRequest, issuer: Issuer): Buffer {
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const tbsCertificate = new TBSCertificate({
    version: 2,
    serialNumber: serial(),
    signature: algorithm,
    issuer: nameOf(issuer.name),
    subject: nameOf(request.subject),
    validity: new Validity({
      notBefore: new Date(request.notBeforeMs),
      notAfter: new Date(request.notAfterMs),
    }),
    subjectPublicKeyInfo: spkiOf(request.publicKey),
    extensions: new Extensions([...extensionsOf(request, issuer)]),
  });
  const signed = Buffer.from(AsnConvert.serialize(tbsCertificate));
  const signature = sign('sha256', signed, issuer.privateKey);
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: algorithm,
    signatureValue: bytesOf(signature),
  });
  return Buffer.from(AsnConvert.serialize(certificate));
}

export function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Digest of a public key, by which it is known without its certificate. */
export function keyDigest(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64url');
}

function extensionsOf(request: CertificateRequest, issuer: Issuer): readonly Extension[] {
  const isAuthority = request.use === 'authority';
  const constraints = isAuthority
    ? new BasicConstraints({ cA: true, pathLenConstraint: 0 })
    : new BasicConstraints({ cA: false });
  const usage = isAuthority
    ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign
    : KeyUsageFlags.digitalSignature;
  return [
    extension(id_ce_basicConstraints, constraints, true),
    extension(id_ce_keyUsage, new KeyUsage(usage), true),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyId(request.publicKey))),
    extension(
      id_ce_authorityKeyIdentifier,
      new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyId(issuer.publicKey)) }),
    ),
    ...purposeOf(request),
    ...namesOf(request),
  ];
}

function purposeOf({ use }: CertificateRequest): readonly Extension[] {
  if (use === 'authority') return [];
  const purpose = use === 'client' ? id_kp_clientAuth : id_kp_serverAuth;
  return [extension(id_ce_extKeyUsage, new ExtendedKeyUsage([purpose]))];
}

function namesOf({ uris = [], dnsNames = [], addresses = [] }: CertificateRequest) {
  const names = [
    ...uris.map((uri) => new GeneralName({ uniformResourceIdentifier: uri })),
    ...dnsNames.map((dNSName) => new GeneralName({ dNSName })),
    ...addresses.map((iPAddress) => new GeneralName({ iPAddress })),
  ];
  return names.length === 0
    ? []
    : [extension(id_ce_subjectAltName, new SubjectAlternativeName(names))];
}

function extension(extnID: string, value: object, critical = false): Extension {
  return new Extension({
    extnID,
    critical,
    extnValue: new OctetString(AsnConvert.serialize(value)),
  });
}

function nameOf(text: string): Name {
  const value = new AttributeValue({ utf8String: text });
  const part = new AttributeTypeAndValue({ type: COMMON_NAME, value });
  return new Name([new RelativeDistinguishedName([part])]);
}

function spkiOf(key: KeyObject): SubjectPublicKeyInfo {
  return AsnConvert.parse(key.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo);
}

function keyId(key: KeyObject): ArrayBuffer {
  return bytesOf(
    createHash('sha1')
      .update(Buffer.from(spkiOf(key).subjectPublicKey))
      .digest(),
  );
}

/** 127 random bits; the first bit says that the number is positive, the second that it is not short. */
function serial(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytesOf(bytes);
}

function bytesOf(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
