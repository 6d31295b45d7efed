/**
 * Reading a folder of one file per event. Every read looks through the folder's names; a file is opened
 * once, to learn its number, and again when its event is asked for.
 *
 * One file that cannot be read stops all: what its number is nobody knows.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FeedItem } from '../ports/feed-source.js';
import type { FeedEvent } from '../ports/store.js';
import { decodeEventFile, listEventFiles } from './event-files.js';

export interface EventFiles {
  read(after: number, max: number): Promise<readonly FeedItem[]>;
  head(): Promise<number>;
}

export function createEventFiles(dir: string): EventFiles {
  const versions = new Map<string, number>();

  const open = async (name: string): Promise<FeedEvent> => {
    const event = decodeEventFile(await readFile(join(dir, name), 'utf8'));
    if (event.ok) return event.value;
    throw Object.assign(new Error(`${name} is ${event.failure}`), { code: 'EDAMAGED' });
  };
  const look = async (): Promise<readonly (readonly [string, number])[]> => {
    const names = await listEventFiles(dir);
    const there = new Set(names);
    for (const name of versions.keys()) if (!there.has(name)) versions.delete(name);
    for (const name of names) {
      if (!versions.has(name)) versions.set(name, (await open(name)).controlVersion);
    }
    return [...versions].sort(([, a], [, b]) => a - b);
  };

  return {
    read: async (after, max) => {
      const wanted = (await look()).filter(([, version]) => version > after).slice(0, max);
      const items: FeedItem[] = [];
      for (const [name, controlVersion] of wanted) {
        items.push({ controlVersion, event: await open(name) });
      }
      return items;
    },
    head: async () => (await look()).at(-1)?.[1] ?? 0,
  };
}
