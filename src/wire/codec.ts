/**
 * Plain data to bytes and back. Encoding copies the bytes out of msgpackr's pool: the view it
 * returns shares an 8 KiB slab with other frames, and posting it would clone the slab. Decoding
 * answers a value for any bytes and yields plain data only: dates, sets, errors and the like are
 * malformed.
 */
import { Packr, Unpackr } from 'msgpackr';
import type { Json } from '../../machines/model/json.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { type BatchReader, createBatchReader } from './batch-reader.js';
import { type BatchWriter, createBatchWriter } from './batch-writer.js';
import { malformed, type WireFailure } from './failures.js';
import { FRAME_BYTES_MAX, STRUCTURES_MAX } from './limits.js';
import { isPlain } from './shape.js';
import { copyOfStructures, STRUCTURES } from './structures.js';

export interface PlainCodec {
  /** Bytes of their own buffer, free to be posted or transferred. */
  encode(value: unknown): Result<Uint8Array, WireFailure>;
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
          : ok(new Uint8Array(packed));
      } catch (error) {
        return malformed(`cannot be packed: ${textOf(error)}`);
      }
    },
    decode: (bytes) => {
      if (!(bytes instanceof Uint8Array) || bytes.byteLength === 0) {
        return malformed('a frame is a run of bytes');
      }
      if (bytes.byteLength > FRAME_BYTES_MAX) return fail(tooLarge(bytes.byteLength));
      try {
        const value: unknown = unpackr.unpack(bytes);
        return isPlain(value) ? ok(value) : malformed('a frame holds plain data only');
      } catch (error) {
        return malformed(`no msgpack: ${textOf(error)}`);
      }
    },
  };
}

function tooLarge(bytes: number): WireFailure {
  return {
    code: 'too-large',
    message: `a frame of ${bytes} bytes is over FRAME_BYTES_MAX (${FRAME_BYTES_MAX})`,
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
