/**
 * A page that needs nothing else: its one style and one script are allowed by their digests, and
 * nothing from anywhere else is. Read once at start.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { packageFile } from '../system/package-file.js';
import { type Reply, text } from './reply.js';

export interface PageOptions {
  /** Below `src/adapters`. */
  readonly file: string;
  /** What the page may connect to, as in a content security policy. */
  readonly connect: string;
}

export function loadPage({ file, connect }: PageOptions): Reply {
  const html = readFileSync(packageFile('src', 'adapters', file), 'utf8');
  const policy = [
    "default-src 'none'",
    `script-src ${digestOf(html, 'script')}`,
    `style-src ${digestOf(html, 'style')}`,
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return {
    ...text(html, 'text/html; charset=utf-8'),
    headers: { 'content-security-policy': policy },
  };
}

function digestOf(html: string, element: 'script' | 'style'): string {
  const inside = new RegExp(`<${element}>([\\s\\S]*?)</${element}>`).exec(html)?.[1] ?? '';
  return `'sha256-${createHash('sha256').update(inside).digest('base64')}'`;
}
