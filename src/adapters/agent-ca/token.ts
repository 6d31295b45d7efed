/**
 * The enrolment token of one instance: what it shows, once, to be given a certificate.
 *
 *   <client token>.<instance>.<expires>.<pin>.<mac>
 *
 * The daemon stores none of it: the MAC says that this installation made it for this instance, the pin is
 * the digest of the authority's public key, by which the agent knows its daemon. The client token is the
 * part that the provider knows the instance by, and is no secret; the MAC is.
 *
 * Rules: [ID-1] a token is worth something only whole, unchanged, before it expires, and where it was made.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { type InstanceId, parseInstanceId } from '../../../machines/model/ids.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';

export interface TokenClaims {
  readonly clientToken: string;
  readonly instance: InstanceId;
  readonly expiresAtMs: number;
}

export interface EnrolmentToken extends TokenClaims {
  /** Digest of the authority's public key. */
  readonly pin: string;
}

export type TokenFailure = 'malformed' | 'forged' | 'expired';

/** Longer than any token; what is longer is not even looked at. */
export const TOKEN_LENGTH_MAX = 512;

const TOKEN =
  /^([A-Za-z0-9_-]{1,128})\.([a-z0-9-]{1,64})\.([0-9a-z]{1,11})\.([\w-]{43})\.([\w-]{43})$/;

/** The secret that tokens are made with, from the authority's own. */
export function tokenSecretOf(privateKeyDer: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', privateKeyDer, '', 'switchyard enrolment token', 32));
}

export function mintToken(secret: Buffer, token: EnrolmentToken): string {
  const body = bodyOf(token);
  return `${body}.${macOf(secret, body)}`;
}

/** What a token says of itself; whether it is true is another question. */
export function readToken(text: string): EnrolmentToken | undefined {
  if (text.length > TOKEN_LENGTH_MAX) return undefined;
  const [, clientToken = '', instanceText = '', expires = '', pin = ''] = TOKEN.exec(text) ?? [];
  const instance = parseInstanceId(instanceText);
  if (instance === undefined) return undefined;
  return { clientToken, instance, expiresAtMs: Number.parseInt(expires, 36), pin };
}

export function checkToken(
  secret: Buffer,
  text: string,
  nowMs: number,
): Result<EnrolmentToken, TokenFailure> {
  const token = readToken(text);
  if (token === undefined) return fail('malformed');
  const dot = text.lastIndexOf('.');
  const expected = Buffer.from(macOf(secret, text.slice(0, dot)));
  const given = Buffer.from(text.slice(dot + 1));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return fail('forged');
  return nowMs < token.expiresAtMs ? ok(token) : fail('expired');
}

function bodyOf({ clientToken, instance, expiresAtMs, pin }: EnrolmentToken): string {
  return `${clientToken}.${instance}.${expiresAtMs.toString(36)}.${pin}`;
}

function macOf(secret: Buffer, body: string): string {
  return createHmac('sha256', secret).update(body).digest('base64url');
}
