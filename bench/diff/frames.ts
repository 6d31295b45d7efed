/**
 * What VPP sends when it is asked for everything, byte by byte as its API lays it out. Written here by
 * hand: what is measured is the reading.
 */
import { type SiteSize, serverAt, weightAt } from './site.js';

const HEADER_BYTES = 16;
const VIP_BYTES = 40;
const AS_BYTES = 54;

export const IDS = { vip: 700, server: 701 } as const;
export const CONTEXTS = { vip: 8, server: 9 } as const;

function framed(bytes: number): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + bytes);
  frame.writeUInt32BE(bytes, 8);
  return frame;
}

function writeVipName(frame: Buffer, index: number): void {
  frame.set([0, 198, 18 + (index >>> 16), (index >>> 8) & 255, index & 255], HEADER_BYTES + 6);
  frame.set([32, 6], HEADER_BYTES + 23);
  frame.writeUInt16BE(443, HEADER_BYTES + 25);
}

/** GRE4, a table of 4096. */
export function vipFrames({ vips }: SiteSize): Buffer {
  return Buffer.concat(
    Array.from({ length: vips }, (_, index) => {
      const frame = framed(VIP_BYTES);
      frame.writeUInt16BE(IDS.vip, HEADER_BYTES);
      frame.writeUInt32BE(CONTEXTS.vip, HEADER_BYTES + 2);
      writeVipName(frame, index);
      frame.writeUInt16BE(4096, HEADER_BYTES + 38);
      return frame;
    }),
  );
}

/** Grouped by VIP, as VPP lists them; `shuffled`: as it would after years. */
export function serverFrames(size: SiteSize, shuffled = false): Buffer {
  const { vips, servers } = size;
  const frames = Buffer.alloc(vips * servers * (HEADER_BYTES + AS_BYTES));
  const places = Uint32Array.from({ length: vips * servers }, (_, place) => place);
  if (shuffled) shuffle(places);
  for (const [row, place] of places.entries()) {
    const frame = serverFrame(Math.floor(place / servers), place % servers);
    frames.set(frame, row * frame.length);
  }
  return frames;
}

function serverFrame(vip: number, server: number): Buffer {
  const frame = framed(AS_BYTES);
  frame.writeUInt16BE(IDS.server, HEADER_BYTES);
  frame.writeUInt32BE(CONTEXTS.server, HEADER_BYTES + 2);
  writeVipName(frame, vip);
  frame.set(serverAt(vip, server).split('.').map(Number), HEADER_BYTES + 28);
  frame.writeUInt8(1, HEADER_BYTES + 44);
  frame.writeUInt8(weightAt(server), HEADER_BYTES + 49);
  frame.writeUInt32BE(20, HEADER_BYTES + 50);
  return frame;
}

/** Always the same way. */
function shuffle(places: Uint32Array): void {
  let random = 1;
  for (let last = places.length - 1; last > 0; last -= 1) {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0;
    const other = random % (last + 1);
    const kept = places[last] ?? 0;
    places[last] = places[other] ?? 0;
    places[other] = kept;
  }
}
