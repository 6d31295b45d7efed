/** How answers look: tables for people, JSON for programs. Text from outside is stripped of escapes. */
import Table from 'cli-table3';
import type { Json, JsonObject } from '../../machines/model/json.js';

export interface Column {
  readonly title: string;
  readonly value: (item: JsonObject) => Json | undefined;
}

const BARE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

export function table(columns: readonly Column[], items: readonly JsonObject[]): string {
  const grid = new Table({
    head: columns.map(({ title }) => title.toUpperCase()),
    chars: BARE,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const item of items) grid.push(columns.map(({ value }) => cell(value(item))));
  return grid
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

export function cell(value: Json | undefined): string {
  if (value === undefined || value === null || value === '') return '-';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return printable(text);
}

/** Control characters (terminal escapes among them) become a dot. */
export function printable(text: string): string {
  return [...text].map((char) => (isControl(char) ? '·' : char)).join('');
}

function isControl(char: string): boolean {
  const code = char.codePointAt(0) ?? 0;
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

export function out(text: string): void {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', endQuietly);
  process.stdout.write(`${text}\n`);
}

/** The reader of a pipe (`| head`) has seen enough: no failure of ours. */
function endQuietly(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit();
  throw error;
}

export interface Format {
  readonly json?: boolean;
  readonly jsonl?: boolean;
}

/** Prints a list in the format asked for; `human` is called only for people. */
export function printList(items: readonly JsonObject[], format: Format, human: () => string): void {
  if (format.jsonl) for (const item of items) out(JSON.stringify(item));
  else if (format.json) out(JSON.stringify(items, null, 2));
  else out(human());
}

export function printObject(item: JsonObject, format: Format, human: () => string): void {
  if (format.jsonl) out(JSON.stringify(item));
  else if (format.json) out(JSON.stringify(item, null, 2));
  else out(human());
}

/** `key: value` lines, nested objects indented: one object in full. */
export function details(item: JsonObject, indent = ''): string {
  return Object.entries(item)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => detail(key, value as Json, indent))
    .join('\n');
}

function detail(key: string, value: Json, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return `${indent}${key}: none`;
    const rows = value.map((entry) =>
      isObject(entry) ? `${indent}  - ${inline(entry)}` : `${indent}  - ${cell(entry)}`,
    );
    return [`${indent}${key}:`, ...rows].join('\n');
  }
  if (isObject(value)) return `${indent}${key}:\n${details(value, `${indent}  `)}`;
  return `${indent}${key}: ${cell(value)}`;
}

function inline(item: JsonObject): string {
  return Object.entries(item)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => `${key}=${cell(value)}`)
    .join(' ');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `3m12s` since a time; people read ages, programs read times. */
export function age(since: Json | undefined, nowMs: number): string {
  const at = typeof since === 'string' ? Date.parse(since) : Number(since);
  if (!Number.isFinite(at)) return '-';
  const seconds = Math.max(0, Math.round((nowMs - at) / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  if (seconds < 86_400)
    return `${Math.floor(seconds / 3_600)}h${Math.floor((seconds % 3_600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d${Math.floor((seconds % 86_400) / 3_600)}h`;
}
