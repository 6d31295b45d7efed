/**
 * What each field of the schema says about itself: how a change of it takes effect, and how it may
 * be shown. Kept in zod's metadata, so that types, documentation and reload read one definition.
 *
 *   reload      applied by a reload
 *   restart     read once at start; a reload reports it as pending until the restart
 *   disruptive  re-creates something in the dataplane; a reload needs `--disruptive` for it
 */
import { z } from 'zod';

export type Apply = 'reload' | 'restart' | 'disruptive';

export interface Note {
  readonly apply: Apply;
  /** Never shown, stored or compared in the clear. */
  readonly secret?: true;
  /** Belongs to somebody else (a provider, a program): differences show digests. */
  readonly opaque?: true;
  readonly unit?: 'duration' | 'share';
}

/** Marks a field as one that a reload applies. */
export function reload<S extends z.ZodType>(schema: S, more: Omit<Note, 'apply'> = {}): S {
  return schema.meta({ apply: 'reload', ...more });
}

export function restart<S extends z.ZodType>(schema: S, more: Omit<Note, 'apply'> = {}): S {
  return schema.meta({ apply: 'restart', ...more });
}

export function disruptive<S extends z.ZodType>(schema: S, more: Omit<Note, 'apply'> = {}): S {
  return schema.meta({ apply: 'disruptive', ...more });
}

/** A group of fields that may be left out as a whole: each has its default. */
export function section<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape).prefault({} as never);
}

export function noteOf(schema: z.ZodType): Note | undefined {
  const meta = schema.meta();
  return meta?.['apply'] === undefined ? undefined : (meta as unknown as Note);
}
