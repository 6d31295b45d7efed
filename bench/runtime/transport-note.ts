/** What G4 and G5 send: an envelope of six fields with a message of as many, as a finished probe's. */
import type { MessagePort } from 'node:worker_threads';
import { type Address, addressOf } from '../../machines/model/ids.js';
import type { LinkPorts } from '../../src/adapters/threads/link.js';

export const NEAR = 'main';
export const FAR = 'shard-0';

/** What the worker thread is given. */
export type FarEnd =
  | { readonly kind: 'link'; readonly ports: LinkPorts }
  | { readonly kind: 'port'; readonly port: MessagePort };

export interface Note {
  readonly type: 'probe.done';
  readonly latencyUs: number;
  readonly code: string;
  readonly address: string;
  readonly port: number;
  readonly up: boolean;
}

/** Receivers, and causes: one after the other, so that no two notes in a row share any. */
const MANY = 1_000;
const TO: readonly Address[] = Array.from({ length: MANY }, (_, index) =>
  addressOf('backend', `web-eu-1-${index}`),
);
const CAUSES: readonly string[] = TO.map((_, index) => `0190a2b3c4d5${1_000 + index}`);
const FROM = addressOf('pool', 'probes-0');

export function letterOf(latencyUs: number) {
  const at = latencyUs % MANY;
  const body: Note = {
    type: 'probe.done',
    latencyUs,
    code: 'L7OK',
    address: '10.0.0.21',
    port: 8080,
    up: true,
  };
  return { to: TO[at] ?? FROM, from: FROM, cause: CAUSES[at] ?? '', body };
}
