/**
 * Address pools: which address of a range a frontend gets.
 *
 * Input:  a range in CIDR text, the addresses taken, who asks.
 * Output: the lowest free address, deterministically; or a failure that names the range.
 *
 * A pool is kept in blocks of so many addresses, each named by its first one, whatever the range: an
 * allocation touches the books of one block, however many addresses are given.
 *
 * Rules: [FE-20] no address is given twice; [FE-21] network and broadcast addresses of an IPv4 range
 * wider than /31, and the subnet-router address of an IPv6 range wider than /127, are never given.
 */
import ipaddr from 'ipaddr.js';
import { fail, ok, type Result } from '../../machines/model/result.js';

export interface PoolFailure {
  readonly code: 'exhausted' | 'malformed';
  readonly message: string;
}

/** First and last address that may be given, as numbers. */
interface Range {
  readonly family: 'ipv4' | 'ipv6';
  readonly first: bigint;
  readonly last: bigint;
}

/** Addresses of one block; a power of two. */
export const BLOCK_ADDRESSES = 64;
const BLOCK = BigInt(BLOCK_ADDRESSES);

/**
 * Lowest address of `cidr`, in this block of it, that is not in `taken` (addresses this function gave).
 * Looks at most at `taken.length + 1` candidates, however wide the range.
 */
export function firstFree(
  cidr: string,
  taken: readonly string[],
  block?: string,
): Result<string, PoolFailure> {
  const whole = rangeOf(cidr);
  if (whole === undefined) {
    return fail({ code: 'malformed', message: `"${cidr}" is not an address range` });
  }
  const range = within(whole, block);
  const occupied = new Set(taken);
  for (let next = range.first; next <= range.last; next += 1n) {
    const text = textOf(range.family, next);
    if (!occupied.has(text)) return ok(text);
  }
  const count = occupied.size;
  return fail({ code: 'exhausted', message: `all of ${cidr} is given: ${count} addresses in use` });
}

/** How many addresses the range, or this block of it, can give. */
export function capacityOf(cidr: string, block?: string): bigint {
  const whole = rangeOf(cidr);
  if (whole === undefined) return 0n;
  const { first, last } = within(whole, block);
  return last < first ? 0n : last - first + 1n;
}

/** The part of it that lies in a block; all of it without one. */
function within(range: Range, block: string | undefined): Range {
  if (block === undefined) return range;
  const { family, number } = addressIn(block);
  if (family !== range.family) return { ...range, last: range.first - 1n };
  const end = number + BLOCK - 1n;
  let { first, last } = range;
  if (number > first) first = number;
  if (end < last) last = end;
  return { family, first, last };
}

/** Where a block lies among others. */
export function placeOf(block: string): bigint {
  return addressIn(block).number;
}

/** The block of an address. */
export function blockOf(address: string): string {
  const { family, number } = addressIn(address);
  return textOf(family, number - (number % BLOCK));
}

/** The lowest block of a range; undefined: it is no range. */
export function firstBlock(cidr: string): string | undefined {
  const range = rangeOf(cidr);
  return range === undefined ? undefined : blockOf(textOf(range.family, range.first));
}

/** The block behind this one, in the range; undefined: this is the last one. */
export function blockAfter(cidr: string, block: string): string | undefined {
  const range = rangeOf(cidr);
  const next = placeOf(block) + BLOCK;
  return range === undefined || next > range.last ? undefined : textOf(range.family, next);
}

/** Whether the range may give it. */
export function isInRange(cidr: string, address: string): boolean {
  const range = rangeOf(cidr);
  const { family, number } = addressIn(address);
  return range?.family === family && range.first <= number && number <= range.last;
}

function addressIn(text: string): { readonly family: Range['family']; readonly number: bigint } {
  const address = ipaddr.parse(text);
  return { family: address.kind(), number: numberOf(address.toByteArray()) };
}

function rangeOf(cidr: string): Range | undefined {
  if (!ipaddr.isValidCIDR(cidr)) return undefined;
  const [address, prefix] = ipaddr.parseCIDR(cidr);
  const family = address.kind();
  const bits = BigInt(family === 'ipv4' ? 32 : 128);
  const size = 1n << (bits - BigInt(prefix));
  const base = (numberOf(address.toByteArray()) / size) * size;
  const wide = size > 2n;
  const first = wide ? base + 1n : base;
  const last = base + size - (wide && family === 'ipv4' ? 2n : 1n);
  return { family, first, last };
}

function numberOf(bytes: readonly number[]): bigint {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

function textOf(family: Range['family'], number: bigint): string {
  const length = family === 'ipv4' ? 4 : 16;
  const bytes = Array.from({ length }, (_, index) =>
    Number((number >> BigInt(8 * (length - 1 - index))) & 0xffn),
  );
  return ipaddr.fromByteArray(bytes).toString();
}
