/**
 * Plain data to bytes and back. The bytes of a frame travel as text, one character a byte: a port copies
 * such a text once each way, where bytes cost it a buffer outside the heap at either end, several times
 * as dear. To make the text is also the copy out of msgpackr's pool.
 *
 * Decoding answers a value for any text and yields plain data only: dates, sets, errors and the like are
 * malformed.
 */
import { Packr, Unpackr } from 'msgpackr';
import type { Json } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { type BatchReader, createBatchReader } from './batch-reader.js';
import { type BatchWriter, createBatchWriter } from './batch-writer.js';
import { malformed, type WireFailure } from './failures.js';
import { BATCH_BYTES_MAX, FRAME_BYTES_MAX, STRUCTURES_MAX } from './limits.js';
import { isPlain } from './shape.js';
import { copyOfStructures, STRUCTURES } from './structures.js';

export interface PlainCodec {
  /** Text of which each character is a byte. */
  encode(value: unknown): Result<string, WireFailure>;
  decode(bytes: unknown): Result<Json, WireFailure>;
}

/** What one end of one link encodes and decodes with: it remembers what was said on it. */
export interface Codec extends PlainCodec {
  readonly writer: BatchWriter;
  readonly reader: BatchReader;
}

/**
 * The codec of established links. Packer and unpacker are apart: they keep notes on their tables.
 */
export function createCodec(): Codec {
  const options = {
    maxSharedStructures: STRUCTURES.length,
    maxOwnStructures: STRUCTURES_MAX,
  };
  const { encode, decode } = codecOf(
    new Packr({ ...options, structures: copyOfStructures() }),
    new Unpackr({ ...options, structures: copyOfStructures() }),
  );
  return { encode, decode, writer: createBatchWriter(), reader: createBatchReader() };
}

/** Without any known shape: for the hello, which must be readable across versions. */
export function createPlainCodec(): PlainCodec {
  const options = { useRecords: false };
  return codecOf(new Packr(options), new Unpackr(options));
}

function codecOf(packr: Packr, unpackr: Unpackr): PlainCodec {
  return {
    encode: (value) => {
      try {
        const packed = packr.pack(value);
        return packed.byteLength > FRAME_BYTES_MAX
          ? fail(tooLarge(packed.byteLength))
          : ok(packed.toString('latin1'));
      } catch (error) {
        return malformed(`cannot be packed: ${textOf(error)}`);
      }
    },
    decode: (bytes) => {
      if (typeof bytes !== 'string' || bytes === '') return malformed('a frame is a run of bytes');
      if (bytes.length > FRAME_BYTES_MAX) return fail(tooLarge(bytes.length));
      try {
        // Decisions come by the half megabyte: room for what was read once is kept.
        if (bytes.length > scratch.length) scratch = Buffer.allocUnsafeSlow(bytes.length);
        const buffer = scratch;
        // Of a character that is no byte the lower half is taken: bent bytes, like any others.
        const length = buffer.write(bytes, 'latin1');
        const value: unknown = unpackr.unpack(buffer, length);
        return isPlain(value) ? ok(value) : malformed('a frame holds plain data only');
      } catch (error) {
        return malformed(`no msgpack: ${textOf(error)}`);
      }
    },
  };
}

/** Where frames are read, as large as the largest that came: nothing that is decoded refers to it. */
let scratch = Buffer.alloc(BATCH_BYTES_MAX);

function tooLarge(bytes: number): WireFailure {
  return {
    code: 'too-large',
    message: `a frame of ${bytes} bytes is over FRAME_BYTES_MAX (${FRAME_BYTES_MAX})`,
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
