/**
 * The first frame on either port of every link, in both directions: which wire version and which
 * shapes its sender speaks, who it is, and which of the two ports this is. A link whose ends differ is
 * refused before anything else is read [WI-4].
 */
import { fail, ok, type Result } from '../../machines/model/result.js';
import { createPlainCodec } from './codec.js';
import { malformed, type WireFailure } from './failures.js';
import { isCount, isName, oneOf, record } from './shape.js';
import { STRUCTURES_HASH } from './structures.js';

/** Raised whenever a frame changes its meaning. */
export const WIRE_VERSION = 3;

export interface Hello {
  readonly hello: number;
  readonly structuresHash: string;
  readonly thread: string;
  readonly incarnation: number;
  readonly lane: Lane;
}

/** The two ports of a link: what may be much, and what must never wait behind it. */
export type Lane = 'bulk' | 'urgent';

const codec = createPlainCodec();
const isHello = record({
  hello: isCount,
  structuresHash: isName,
  thread: isName,
  incarnation: isCount,
  lane: oneOf('bulk', 'urgent'),
});

export function helloOf(thread: string, incarnation: number, lane: Lane = 'bulk'): Hello {
  return { hello: WIRE_VERSION, structuresHash: STRUCTURES_HASH, thread, incarnation, lane };
}

export function encodeHello(hello: Hello): Result<string, WireFailure> {
  return codec.encode(hello);
}

/** @returns the peer, when it speaks exactly as we do. */
export function decodeHello(bytes: unknown): Result<Hello, WireFailure> {
  const decoded = codec.decode(bytes);
  if (!decoded.ok) return decoded;
  const { value } = decoded;
  if (!isHello(value)) return malformed('the first frame of a link is a hello');
  if (value.hello !== WIRE_VERSION) {
    return refuse(value, `wire version ${value.hello}, not ${WIRE_VERSION}`);
  }
  if (value.structuresHash !== STRUCTURES_HASH) {
    return refuse(value, `shapes ${value.structuresHash}, not ${STRUCTURES_HASH}`);
  }
  return ok(value);
}

function refuse({ thread }: Hello, what: string): Result<never, WireFailure> {
  const message = `${thread} speaks ${what}: every thread must run the same build`;
  return fail({ code: 'version', message });
}
