/**
 * Framing of VPP's API socket: turns a byte stream into messages and messages into frames.
 *
 * Input:  chunks cut anywhere. Output: the messages completed by each chunk, without their header.
 *
 * A frame is 16 bytes (8 of a pointer, the length, 4 of a timestamp), then the message. There is
 * no resynchronisation: a frame that announces too much swallows everything after it. An empty
 * frame is noticed only once more bytes arrive. Replies carry a non-zero pointer, as VPP's do.
 */
import { limits } from './limits.js';

const HEADER_BYTES = 16;
const LENGTH_AT = 8;
/** What VPP leaks in the pointer field of its replies; no client may read a meaning into it. */
const LEAKED_POINTER = Buffer.from('c004053001000000', 'hex');

export interface Splitter {
  /** Bytes of a frame that is not complete yet. */
  readonly held: Buffer;
  /** Bytes still to be thrown away of a frame too long to hold. */
  readonly swallowBytes: number;
}

export const emptySplitter: Splitter = { held: Buffer.alloc(0), swallowBytes: 0 };

export interface Split {
  readonly splitter: Splitter;
  readonly messages: readonly Buffer[];
}

export function splitFrames(splitter: Splitter, chunk: Buffer): Split {
  const swallowed = Math.min(splitter.swallowBytes, chunk.length);
  const fresh = chunk.subarray(swallowed);
  let rest = splitter.held.length === 0 ? fresh : Buffer.concat([splitter.held, fresh]);
  let swallowBytes = splitter.swallowBytes - swallowed;
  const messages: Buffer[] = [];
  while (rest.length >= HEADER_BYTES) {
    const length = rest.readUInt32BE(LENGTH_AT);
    const end = HEADER_BYTES + length;
    if (length > limits.heldFrameBytes) {
      swallowBytes = Math.max(0, end - rest.length);
      rest = rest.subarray(Math.min(end, rest.length));
      continue;
    }
    if (rest.length < end || (length === 0 && rest.length === end)) break;
    messages.push(rest.subarray(HEADER_BYTES, end));
    rest = rest.subarray(end);
  }
  return { splitter: { held: Buffer.from(rest), swallowBytes }, messages };
}

export function frameOf(message: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  LEAKED_POINTER.copy(header);
  header.writeUInt32BE(message.length, LENGTH_AT);
  return Buffer.concat([header, message]);
}

/** The pieces in which VPP writes: at most 4096 bytes each. */
export function writesOf(frame: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let from = 0; from < frame.length; from += limits.writeChunkBytes) {
    pieces.push(frame.subarray(from, from + limits.writeChunkBytes));
  }
  return pieces;
}
