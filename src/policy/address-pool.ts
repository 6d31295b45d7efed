/**
 * Address pools: which address of a range a frontend gets.
 *
 * Input:  a range in CIDR text, the addresses taken, who asks.
 * Output: the lowest free address, deterministically; or a failure that names the range.
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

/**
 * Lowest address of `cidr` that is not in `taken` (addresses this function gave). Looks at most at
 * `taken.length + 1` candidates, however wide the range.
 */
export function firstFree(cidr: string, taken: readonly string[]): Result<string, PoolFailure> {
  const range = rangeOf(cidr);
  if (range === undefined) {
    return fail({ code: 'malformed', message: `"${cidr}" is not an address range` });
  }
  const occupied = new Set(taken);
  for (let next = range.first; next <= range.last; next += 1n) {
    const text = textOf(range.family, next);
    if (!occupied.has(text)) return ok(text);
  }
  const count = occupied.size;
  return fail({ code: 'exhausted', message: `all of ${cidr} is given: ${count} addresses in use` });
}

/** How many addresses the range can give. */
export function capacityOf(cidr: string): bigint {
  const range = rangeOf(cidr);
  return range === undefined ? 0n : range.last - range.first + 1n;
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
