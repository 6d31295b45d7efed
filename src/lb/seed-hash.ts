/**
 * The 64-bit hash behind VPP's table: xxHash64 of one eight-byte key, where the key is the exclusive
 * or of both halves of the address (as a little-endian machine loads them) and the replica number.
 * VPP's variant starts from a fixed value of its own instead of a seed.
 */
const PRIME_1 = 11_400_714_785_074_694_791n;
const PRIME_2 = 14_029_467_366_897_019_727n;
const PRIME_3 = 1_609_587_929_392_839_161n;
const PRIME_4 = 9_650_029_242_287_828_579n;
const PRIME_5 = 2_870_177_450_012_600_261n;
/** Stands where xxHash64 would put its seed. */
const VPP_SEED = 0x9e3779b97f4a7c13n;
const KEY_BYTES = 8n;
const LOW_32 = 0xffff_ffffn;

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);

function rotateLeft(value: bigint, bits: bigint): bigint {
  return wrap(value << bits) | (value >> (64n - bits));
}

/** xxHash64 of one 64-bit key, as VPP computes it. */
export function xxHashOfKey(key: bigint): bigint {
  const mixed = wrap(rotateLeft(wrap(key * PRIME_2), 31n) * PRIME_1);
  let hash = wrap(VPP_SEED + PRIME_5 + KEY_BYTES) ^ mixed;
  hash = wrap(rotateLeft(hash, 27n) * PRIME_1 + PRIME_4);
  hash = wrap((hash ^ (hash >> 33n)) * PRIME_2);
  hash = wrap((hash ^ (hash >> 29n)) * PRIME_3);
  return hash ^ (hash >> 32n);
}

export function seedOf(address: Uint8Array, replica: number): bigint {
  const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
  const key = view.getBigUint64(0, true) ^ view.getBigUint64(8, true) ^ BigInt(replica);
  return xxHashOfKey(key);
}

/** Low half: the stride. High half: the starting bucket. */
export function splitSeed(seed: bigint): { readonly low: number; readonly high: number } {
  return { low: Number(seed & LOW_32), high: Number(seed >> 32n) };
}
