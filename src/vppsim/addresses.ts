/**
 * Addresses as the lb plugin holds them: 16 bytes, IPv4 in the last four behind twelve zeros.
 *
 * Input: wire fields (17 bytes: family, then a union whose first four bytes are IPv4's). Output:
 * `Hex`, 32 lower-case digits, which sort as the bytes do; wire fields; text for people.
 *
 * An address whose first twelve bytes are zero *is* IPv4, whatever family it was sent with.
 */
import ipaddr from 'ipaddr.js';

/** 32 lower-case hexadecimal digits. */
export type Hex = string;

export const FAMILY_IP4 = 0;
export const FAMILY_IP6 = 1;
export const ADDRESS_BYTES = 17;
/** IPv4 prefix lengths are kept with this added, as a byte that may wrap round. */
const IP4_LENGTH_OFFSET = 96;
const IP4_PADDING = '0'.repeat(24);
export const ZERO_ADDRESS: Hex = '0'.repeat(32);
const U64 = (1n << 64n) - 1n;

export interface ReadAddress {
  readonly hex: Hex;
  /** Anything but IPv4 and IPv6 is not checked by VPP, which then reads what it never wrote. */
  readonly familyKnown: boolean;
}

export function readAddress(message: Buffer, at: number): ReadAddress {
  const family = message.readUInt8(at);
  const union = message.toString('hex', at + 1, at + ADDRESS_BYTES);
  if (family === FAMILY_IP4) return { hex: IP4_PADDING + union.slice(0, 8), familyKnown: true };
  if (family === FAMILY_IP6) return { hex: union, familyKnown: true };
  return { hex: ZERO_ADDRESS, familyKnown: false };
}

export function isIp4(address: Hex): boolean {
  return address.startsWith(IP4_PADDING);
}

export function isIp4Prefix(address: Hex, length: number): boolean {
  return length >= IP4_LENGTH_OFFSET && isIp4(address);
}

/** The plugin's prefix length for one on the wire: a byte, so that an IPv4 /200 becomes 40. */
export function internalLength(family: number, length: number): number {
  return family === FAMILY_IP4 ? (length + IP4_LENGTH_OFFSET) & 0xff : length;
}

/** The prefix length a dump shows. */
export function shownLength(address: Hex, length: number): number {
  return isIp4Prefix(address, length) ? length - IP4_LENGTH_OFFSET : length;
}

/** Clears the host bits. Lengths above 128 shift by their low six bits, as the processor does. */
export function maskedPrefix(address: Hex, length: number): Hex {
  if (length === 0) return ZERO_ADDRESS;
  const high = BigInt(`0x${address.slice(0, 16)}`);
  const low = BigInt(`0x${address.slice(16)}`);
  return length <= 64
    ? hexOf(high & leadingOnes(64 - length)) + hexOf(0n)
    : hexOf(high) + hexOf(low & leadingOnes((128 - length) & 63));
}

function leadingOnes(zeros: number): bigint {
  return (U64 << BigInt(zeros)) & U64;
}

function hexOf(half: bigint): string {
  return half.toString(16).padStart(16, '0');
}

export function writeAddress(message: Buffer, at: number, address: Hex): void {
  message.writeUInt8(isIp4(address) ? FAMILY_IP4 : FAMILY_IP6, at);
  message.write(isIp4(address) ? address.slice(24) : address, at + 1, 'hex');
}

/** Dotted quad, or RFC 5952. */
export function addressText(address: Hex): string {
  const bytes = [...Buffer.from(isIp4(address) ? address.slice(24) : address, 'hex')];
  const parsed = ipaddr.fromByteArray(bytes);
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString();
}

export function prefixText(address: Hex, length: number): string {
  return `${addressText(address)}/${shownLength(address, length)}`;
}
