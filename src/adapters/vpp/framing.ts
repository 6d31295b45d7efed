/**
 * Frames on the socket: a 16-byte header, of which only the big-endian length at offset 8 means
 * anything, then the message.
 *
 * Input: the byte stream in pieces of any size. Output: whole messages, in order.
 *
 * [VP-4] The split of the stream does not matter. A length of 0 or above `frameBytesMax` is framing
 * doubt: there is no way to find the next frame, so the connection has to be closed.
 */
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { limits } from './limits.js';

export const HEADER_BYTES = 16;
const LENGTH_AT = 8;

/** The other header fields are zero: VPP ignores them. */
export function frame(message: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(message.length, LENGTH_AT);
  return Buffer.concat([header, message]);
}

/** Cuts a stream into messages. After a failure it must not be used again. */
export class Reassembler {
  readonly #header: Buffer = Buffer.alloc(HEADER_BYTES);
  /** What is being filled: the header, or the message it announced. */
  #part = this.#header;
  #filled = 0;

  /** The messages completed by this piece. */
  push(piece: Buffer): Result<readonly Buffer[], string> {
    const complete: Buffer[] = [];
    for (let at = 0; at < piece.length; ) {
      const taken = piece.copy(this.#part, this.#filled, at);
      at += taken;
      this.#filled += taken;
      if (this.#filled < this.#part.length) continue;
      if (this.#part === this.#header) {
        const length = this.#header.readUInt32BE(LENGTH_AT);
        if (length === 0) return fail('a frame announces no bytes');
        if (length > limits.frameBytesMax) return fail(`a frame announces ${length} bytes`);
        this.#start(Buffer.allocUnsafe(length));
      } else {
        complete.push(this.#part);
        this.#start(this.#header);
      }
    }
    return ok(complete);
  }

  #start(part: Buffer): void {
    this.#part = part;
    this.#filled = 0;
  }
}
