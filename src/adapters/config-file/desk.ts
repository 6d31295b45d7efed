/**
 * A desk: one clerk with one configuration before it, and the store behind it.
 *
 * Input: a link to a clerk that has read. Output: the port `ConfigDesk`. What is kept crosses in parts
 * of bounded size, and one part at a time: no event loop on the way is held up by it.
 */
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Stored } from '../../config/clerk.js';
import type { ConfigDesk, KeptConfig, LetterOrder } from '../../ports/config-file.js';
import { ARTIFACT_PART_CHARACTERS_MAX, type Store } from '../../ports/store.js';
import type { ClerkLink } from './clerk-link.js';

/** The kind of artifact a configuration is. */
export const CONFIG_ARTIFACT = 'config';

export interface DeskOptions {
  readonly link: ClerkLink;
  readonly hash: string;
  readonly store: () => Store | undefined;
}

export function openDesk({ link, hash, store }: DeskOptions): ConfigDesk {
  const previousOf = async ({ previous }: LetterOrder): Promise<Stored | null> =>
    previous === null ? null : fetchStored(store(), previous);

  return {
    hash,
    compare: async ({ committed, booted, retired, prepare }) => {
      const stored = committed === null ? null : await fetchStored(store(), committed);
      const read = await link.ask('compare', { committed: stored, booted, retired, prepare });
      return read as never;
    },
    keep: async () => {
      const parts = await link.ask('pack', { partCharacters: ARTIFACT_PART_CHARACTERS_MAX });
      return putParts(store(), hash, parts);
    },
    settings: (hook) => link.ask('settings', { hook }),
    async *letters(order) {
      const { hook, generation, retired, mayRecreate } = order;
      const previous = hook === 'removals' ? await previousOf(order) : null;
      const base = { hook, generation, retired, mayRecreate };
      for (let from = 0, more = true; more; ) {
        const asked = from === 0 ? previous : null;
        const answer = await link.ask('letters', { ...base, previous: asked, from });
        if (answer.letters.length > 0) yield answer.letters;
        from += answer.letters.length;
        more = answer.more;
      }
    },
    close: link.close,
  };
}

async function putParts(
  store: Store | undefined,
  hash: string,
  parts: readonly string[],
): Promise<Result<void, string>> {
  if (store === undefined) return fail('the store is not open');
  for (const [part, bytes] of parts.entries()) {
    const row = { kind: CONFIG_ARTIFACT, hash, part, parts: parts.length, bytes };
    const put = await store.artifactPut(row);
    if (!put.ok) return fail(put.failure.message);
  }
  return ok(undefined);
}

/** What there is of it: a configuration that is not there cannot be compared with, and that is all. */
export async function fetchStored(
  store: Store | undefined,
  { hash, inline }: KeptConfig,
): Promise<Stored> {
  if (inline !== undefined) return { hash, parts: null, inline };
  const parts: string[] = [];
  for (let part = 0; store !== undefined; part += 1) {
    const got = await store.artifactGet(CONFIG_ARTIFACT, hash, part);
    if (!got.ok || got.value === undefined) break;
    parts.push(got.value);
  }
  return { hash, parts: parts.length === 0 ? null : parts, inline: null };
}
