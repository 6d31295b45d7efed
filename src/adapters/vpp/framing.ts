/**
 * Frames on the socket: a 16-byte header, of which only the big-endian length at offset 8 means
 * anything, then the message.
 *
 * Input: the byte stream in pieces of any size. Output: whole messages, in order; one that came whole
 * is not copied.
 *
 * [VP-4] The split of the stream does not matter. A length of 0 or above `frameBytesMax` is framing
 * doubt: there is no way to find the next frame, so the connection has to be closed.
 */
import { limits } from './limits.js';

export const HEADER_BYTES = 16;
const LENGTH_AT = 8;

/** The other header fields are zero: VPP ignores them. */
export function frame(message: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(message.length, LENGTH_AT);
  return Buffer.concat([header, message]);
}

/** Takes one message, which lies there only until this returns. A sentence ends everything. */
export type TakeMessage = (bytes: Buffer, start: number, end: number) => string | undefined;

/** Cuts a stream into messages. After a sentence it must not be used again. */
export class Reassembler {
  readonly #header: Buffer = Buffer.alloc(HEADER_BYTES);
  /** What is being filled: the header, or the message it announced. */
  #part = this.#header;
  #filled = 0;

  /** Gives the messages completed by this piece to `take`; answers with the first sentence. */
  push(piece: Buffer, take: TakeMessage): string | undefined {
    for (let at = 0; at < piece.length; ) {
      const start = at + HEADER_BYTES;
      const isBetween = this.#filled === 0 && this.#part === this.#header;
      if (isBetween && start <= piece.length) {
        const length = piece.readUInt32BE(at + LENGTH_AT);
        if (length > 0 && start + length <= piece.length) {
          const doubt = take(piece, start, start + length);
          if (doubt !== undefined) return doubt;
          at = start + length;
          continue;
        }
      }
      const taken = piece.copy(this.#part, this.#filled, at);
      at += taken;
      this.#filled += taken;
      const doubt = this.#filled < this.#part.length ? undefined : this.#complete(take);
      if (doubt !== undefined) return doubt;
    }
    return undefined;
  }

  /** The header or the message that lay in pieces. */
  #complete(take: TakeMessage): string | undefined {
    const part = this.#part;
    if (part !== this.#header) {
      this.#start(this.#header);
      return take(part, 0, part.length);
    }
    const length = part.readUInt32BE(LENGTH_AT);
    if (length === 0) return 'a frame announces no bytes';
    if (length > limits.frameBytesMax) return `a frame announces ${length} bytes`;
    this.#start(Buffer.allocUnsafe(length));
    return undefined;
  }

  #start(part: Buffer): void {
    this.#part = part;
    this.#filled = 0;
  }
}
