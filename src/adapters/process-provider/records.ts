/**
 * What the provider remembers of its instances: one directory each, named by the token it was asked
 * for with, holding meta.json (this file's business), output.log and alive.fifo.
 *
 * Rules: [PR-1] a token is an instance's name, so asking twice can never make two; the record is
 * written before the process is started and completed after. A record needs to outlive this daemon,
 * not the machine: after a power failure the processes are gone too. [PR-20] A record that could not be
 * looked at is neither absent nor damaged: the provider does not open.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ProviderTags } from '../../../machines/model/messages.js';
import type { ProcessIdentity } from '../proc/processes.js';
import { replaceFile } from '../proc/write-file.js';

export interface InstanceRecord {
  readonly version: 1;
  readonly id: string;
  readonly token: string;
  readonly address: string;
  readonly stopGraceMs: number;
  readonly tags: ProviderTags;
  /** Absent: the process was about to be started when this was written. */
  readonly process?: ProcessIdentity;
}

export interface RecordStore {
  readonly logPath: (id: string) => string;
  readonly lifelinePath: (id: string) => string;
  /** `unreadable`: ids of records that exist and cannot be understood. */
  load(): Promise<{
    readonly records: readonly InstanceRecord[];
    readonly unreadable: readonly string[];
  }>;
  write(record: InstanceRecord): Promise<void>;
  remove(id: string): Promise<void>;
}

const ID_PATTERN = /^proc-[0-9a-f]{24}$/;

const RECORD = z.object({
  version: z.literal(1),
  id: z.string(),
  token: z.string(),
  address: z.ipv4(),
  stopGraceMs: z.number(),
  tags: z.object({
    installation: z.string(),
    node: z.string(),
    tenant: z.string(),
    group: z.string(),
    instance: z.string(),
    epoch: z.number(),
  }),
  process: z
    .object({ pid: z.number().int().min(2), startTicks: z.number(), bootId: z.string() })
    .optional(),
});

export function idOfToken(token: string): string {
  return `proc-${createHash('sha256').update(token).digest('hex').slice(0, 24)}`;
}

export function openRecords(dir: string): RecordStore {
  const metaPath = (id: string) => join(dir, id, 'meta.json');

  const read = async (id: string): Promise<InstanceRecord | undefined> => {
    return parseRecord(id, await readFile(metaPath(id), 'utf8').catch(emptyWhenAbsent));
  };

  return {
    logPath: (id) => join(dir, id, 'output.log'),
    lifelinePath: (id) => join(dir, id, 'alive.fifo'),
    async load() {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const ids = (await readdir(dir)).filter((name) => ID_PATTERN.test(name)).sort();
      const records: InstanceRecord[] = [];
      const unreadable: string[] = [];
      // One by one: all at once would need a descriptor for each.
      for (const id of ids) {
        const record = await read(id);
        if (record === undefined) unreadable.push(id);
        else records.push(record);
      }
      return { records, unreadable };
    },
    async write(record) {
      await mkdir(join(dir, record.id), { recursive: true, mode: 0o700 });
      await replaceFile(metaPath(record.id), JSON.stringify(record));
    },
    async remove(id) {
      await rm(join(dir, id), { recursive: true, force: true });
    },
  };
}

function emptyWhenAbsent(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

/** The one place where a record's text becomes a record: its tags were branded when it was written. */
function parseRecord(id: string, text: string): InstanceRecord | undefined {
  try {
    const record = RECORD.parse(JSON.parse(text));
    return record.id === id && idOfToken(record.token) === id
      ? (record as InstanceRecord)
      : undefined;
  } catch {
    return undefined;
  }
}
