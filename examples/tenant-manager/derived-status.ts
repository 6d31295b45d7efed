/**
 * What people see of a resource: derived from what the registered controllers reported, never stored.
 *
 * Input:  whether it is deleted, the controllers that count, their rows. Output: one word and why.
 */
import type { StatusRow } from './store.js';

export interface DerivedStatus {
  readonly indicator: 'IDLE' | 'IN_PROGRESS' | 'ERROR' | 'DELETED';
  readonly message: string;
}

export function derivedStatus(
  deleted: boolean,
  controllers: readonly string[],
  rows: readonly StatusRow[],
): DerivedStatus {
  const counting = rows.filter(({ controller }) => controllers.includes(controller));
  const broken = counting.find(({ status }) => status === 'error');
  const settled = { indicator: deleted ? 'DELETED' : 'IDLE', message: '' } as const;
  if (controllers.length === 0) return settled;
  if (broken !== undefined) return { indicator: 'ERROR', message: broken.message };
  if (deleted) {
    if (counting.length === 0) return settled;
    return inProgress([`waiting for ${namesOf(counting)}`]);
  }
  const absent = controllers.filter((name) => !counting.some((row) => row.controller === name));
  const working = counting.filter(({ status }) => status === 'in_progress');
  const sentences = [
    ...(absent.length === 0 ? [] : [`waiting for ${absent.join(', ')}`]),
    ...(working.length === 0 ? [] : [`in progress: ${namesOf(working)}`]),
  ];
  return sentences.length === 0 ? settled : inProgress(sentences);
}

function inProgress(sentences: readonly string[]): DerivedStatus {
  return { indicator: 'IN_PROGRESS', message: sentences.join('; ') };
}

function namesOf(rows: readonly StatusRow[]): string {
  return rows.map(({ controller }) => controller).join(', ');
}
