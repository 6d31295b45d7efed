/**
 * ICMP echo as bytes: the request we send and the reply we take for it (RFC 792, RFC 4443). Pure.
 *
 * The kernel fills in the identifier, which is the socket's, and the checksum; the sequence number and
 * the nonce behind it say which request a reply belongs to.
 */

export type Family = 4 | 6;

interface Types {
  readonly request: number;
  readonly reply: number;
}

const TYPES: Readonly<Record<Family, Types>> = {
  4: { request: 8, reply: 0 },
  6: { request: 128, reply: 129 },
};

const HEADER_BYTES = 8;
const NONCE_BYTES = 8;
export const SEQUENCE_MAX = 0xffff;

export interface Echo {
  /** 0 … SEQUENCE_MAX. */
  readonly sequence: number;
  readonly nonce: bigint;
}

export function echoRequest(family: Family, { sequence, nonce }: Echo): Buffer {
  const packet = Buffer.alloc(HEADER_BYTES + NONCE_BYTES);
  packet.writeUInt8(TYPES[family].request, 0);
  packet.writeUInt16BE(sequence, 6);
  packet.writeBigUInt64BE(nonce, HEADER_BYTES);
  return packet;
}

/** `undefined`: no reply to an echo of ours. */
export function readReply(family: Family, packet: Buffer): Echo | undefined {
  if (packet.length < HEADER_BYTES + NONCE_BYTES) return undefined;
  if (packet.readUInt8(0) !== TYPES[family].reply) return undefined;
  return { sequence: packet.readUInt16BE(6), nonce: packet.readBigUInt64BE(HEADER_BYTES) };
}
