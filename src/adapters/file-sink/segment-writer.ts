/**
 * Writes lines to the last segment of the feed and makes them durable: one write and one fsync for all
 * lines of a call, and the folder's when a segment begins.
 *
 * Rule: [FD-2] what was not acknowledged leaves no trace: after a failed write or fsync the segment is
 * cut back to its last acknowledged byte and reopened before anything else is written. (After a failed
 * fsync the kernel may have dropped the pages: only writing them again makes them safe.)
 *
 * Rule: [FD-9] what is not as this writer left it belongs to somebody else now: nothing more is written.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { SEGMENT_BYTES } from '../../feed/limits.js';
import { segmentName } from '../../feed/segments.js';

export interface Position {
  /** Control version of the segment's first line. */
  readonly first: number;
  /** Acknowledged bytes in it. */
  readonly bytes: number;
}

export interface SegmentWriter {
  /** Makes what is there durable and cuts off what follows it. */
  prepare(): Promise<void>;
  /** Whether the segment ends where this writer left it, in its folder. */
  isOurs(): Promise<boolean>;
  /** Resolves when the lines are durable; rejects with the system's error, leaving nothing behind. */
  write(lines: Buffer, firstVersion: number): Promise<void>;
  close(): Promise<void>;
}

const { O_CREAT, O_RDWR } = constants;

export function createSegmentWriter(
  dir: string,
  start: Position,
  segmentBytes = SEGMENT_BYTES,
): SegmentWriter {
  let position = start;
  let file: FileHandle | undefined;

  const close = async (): Promise<void> => {
    const closing = file;
    file = undefined;
    await closing?.close();
  };

  return {
    async prepare() {
      file ??= await openAt(dir, position);
    },
    async isOurs() {
      if (file === undefined) return true;
      const { nlink, size } = await file.stat();
      return nlink > 0 && size === position.bytes;
    },
    async write(lines, firstVersion) {
      if (position.bytes >= segmentBytes) {
        await close();
        position = { first: firstVersion, bytes: 0 };
      }
      try {
        file ??= await openAt(dir, position);
        await writeAll(file, lines, position.bytes);
        await file.datasync();
      } catch (error) {
        await close().catch(() => undefined);
        throw error;
      }
      position = { ...position, bytes: position.bytes + lines.length };
    },
    close,
  };
}

/** The segment, cut to `position`, durable as far as it goes and findable after a power failure. */
async function openAt(dir: string, position: Position): Promise<FileHandle> {
  const file = await open(join(dir, segmentName(position.first)), O_CREAT | O_RDWR, 0o640);
  try {
    await file.truncate(position.bytes);
    await file.sync();
    await syncFolder(dir);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, from: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const left = bytes.length - written;
    const { bytesWritten } = await file.write(bytes, written, left, from + written);
    written += bytesWritten;
  }
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
