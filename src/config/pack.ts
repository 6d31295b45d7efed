/**
 * A configuration as it lies in the store: JSON, compressed, in parts of bounded size.
 *
 * Input: a complete configuration. Output: parts; put together in their order they are the same
 * configuration again, or the one sentence that says why they are not.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { digestOf } from './canonical.js';
import type { Config } from './complete.js';

/** Fast rather than small: names and addresses shrink tenfold at any level. */
const LEVEL = 1;

export function packConfig(config: Config, partCharacters: number): readonly string[] {
  const text = gzipSync(JSON.stringify(config), { level: LEVEL }).toString('base64');
  const parts: string[] = [];
  for (let from = 0; from < text.length; from += partCharacters) {
    parts.push(text.slice(from, from + partCharacters));
  }
  return parts;
}

export function unpackConfig(parts: readonly string[], hash: string): Result<Config, string> {
  try {
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(part, 'base64')));
    const config = JSON.parse(gunzipSync(bytes).toString('utf8')) as Config;
    if (digestOf(config) === hash) return ok(config);
    return fail(`configuration ${hash} is damaged in the store: its content is another`);
  } catch (error) {
    return fail(`configuration ${hash} is damaged in the store: ${(error as Error).message}`);
  }
}
