/**
 * Bytes → text of a configuration file.
 *
 * Input: the file's bytes. Output: text without a byte order mark, or the one finding that says
 * which byte is wrong and where. UTF-8 only; no zero and no control character other than tab and
 * line ends, since they would reach terminals and logs.
 */
import { TextDecoder } from 'node:util';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { configLimits } from './limits.js';
import { linesOf } from './lines.js';
import type { Finding, Position } from './problem.js';

const CHUNK_BYTES = 65_536;
const BYTE_ORDER_MARK = '\uFEFF';
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

export function decodeText(bytes: Uint8Array): Result<string, Finding> {
  if (bytes.length > configLimits.textBytesMax) return fail(tooLarge(bytes.length));
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return fail(bad({ line: 1, column: 1 }, 'the file is UTF-16; save it as UTF-8'));
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    const chunk = bytes.subarray(start, start + CHUNK_BYTES);
    const last = start + CHUNK_BYTES >= bytes.length;
    const decoded = tryDecode(decoder, chunk, last);
    if (decoded === undefined) return fail(invalidByte(bytes));
    text += decoded;
  }
  return ok(text);
}

/** Checks text that may come from anywhere and strips a leading byte order mark. */
export function cleanText(text: string): Result<string, Finding> {
  const bytes = Buffer.byteLength(text);
  if (bytes > configLimits.textBytesMax) return fail(tooLarge(bytes));
  const body = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  const control = CONTROL.exec(body);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).padStart(4, '0');
    return fail(bad(linesOf(body)(control.index), `control character U+${code} in the file`));
  }
  const mark = body.indexOf(BYTE_ORDER_MARK);
  if (mark < 0) return ok(body);
  return fail(bad(linesOf(body)(mark), 'byte order mark inside the file; remove it'));
}

function tryDecode(decoder: TextDecoder, chunk: Uint8Array, last: boolean): string | undefined {
  try {
    return decoder.decode(chunk, { stream: !last });
  } catch {
    return undefined;
  }
}

/** Slow and exact: decodes line by line, then byte by byte, to name the first wrong byte. */
function invalidByte(bytes: Uint8Array): Finding {
  let line = 1;
  let lineStart = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, lineStart)) {
    if (!isUtf8(bytes.subarray(lineStart, end))) break;
    line += 1;
    lineStart = end + 1;
  }
  const lineEnd = bytes.indexOf(0x0a, lineStart);
  const rest = bytes.subarray(lineStart, lineEnd < 0 ? undefined : lineEnd);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let column = 1;
  let index = 0;
  for (; index < rest.length; index += 1) {
    const decoded = tryDecode(decoder, rest.subarray(index, index + 1), false);
    if (decoded === undefined) break;
    column += decoded.length;
  }
  const byte = rest[Math.min(index, rest.length - 1)] ?? 0;
  const shown = `0x${byte.toString(16).padStart(2, '0')}`;
  return bad({ line, column }, `byte ${shown} is not UTF-8; save the file as UTF-8`);
}

function isUtf8(bytes: Uint8Array): boolean {
  return (
    tryDecode(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }), bytes, true) !== undefined
  );
}

function tooLarge(bytes: number): Finding {
  const mib = Math.ceil(bytes / 1024 / 1024);
  return bad({ line: 1, column: 1 }, `the file has ${mib} MiB; at most 64 MiB are read`);
}

function bad(position: Position, message: string): Finding {
  return { path: [], position, message, code: 'parse' };
}
