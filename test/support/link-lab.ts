/** Two ends of a link over real message channels, or one end and bare ports that may say anything. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { addressOf } from '../../machines/model/ids.js';
import {
  type LinkOptions,
  type LinkPorts,
  linkPorts,
  openLink,
} from '../../src/adapters/threads/link.js';
import type { Envelope } from '../../src/runtime/envelope.js';
import { createCodec } from '../../src/wire/codec.js';
import { encodeHello, type Hello, helloOf, type Lane } from '../../src/wire/hello.js';
import { FRAME_BYTES_MAX } from '../../src/wire/limits.js';
import { encodeFrame, type LinkFrame } from '../../src/wire/link-frame.js';
import { rememberingLog } from './quiet.js';

export const envelope = (type: string, more: Partial<Envelope> = {}): Envelope => ({
  to: addressOf('group', 't/g'),
  from: addressOf('tenant', 't'),
  cause: 'c',
  body: { type },
  ...more,
});

export const huge = (): Envelope => {
  const body = { type: 'huge', text: hugeText() };
  return envelope('huge', { body });
};
export const hugeText = (): string => 'x'.repeat(FRAME_BYTES_MAX + 1);

/** Until nothing that was posted can still be on its way. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
}

export function link(
  ports: LinkPorts,
  names: readonly [string, string],
  more: Partial<LinkOptions> = {},
) {
  const [thread, peer] = names;
  const log = rememberingLog();
  const frames: LinkFrame[] = [];
  const state = { closed: 0 };
  const self = { thread, incarnation: 1 };
  const opened = openLink({ ports, self, peer, peerIncarnation: 1, log, ...more });
  opened.onFrame((frame) => void frames.push(frame));
  opened.onClose(() => {
    state.closed += 1;
  });
  const types = (): readonly string[] =>
    frames.flatMap((frame) =>
      frame.type === 'envelopes' ? frame.items.map(({ body }) => body.type) : [],
    );
  return { opened, frames, log, state, types };
}

export function pair(more: Partial<LinkOptions> = {}) {
  const [near, far] = linkPorts();
  return { a: link(near, ['a', 'b']), b: link(far, ['b', 'a'], more) };
}

/** A peer made of bare ports, which may say anything. */
export function bare(more: Partial<LinkOptions> = {}) {
  const [near, far] = linkPorts();
  const distrusted: string[] = [];
  const onDistrust = ({ message }: { readonly message: string }): void =>
    void distrusted.push(message);
  const a = link(near, ['a', 'b'], { onDistrust, ...more });
  const say = (lane: Lane, ...frames: readonly (LinkFrame | string)[]): void => {
    for (const frame of frames) far[lane].postMessage(bytesOf(frame));
  };
  const greet = (): void => {
    for (const lane of LANES) far[lane].postMessage(helloBytes(helloOf('b', 1, lane)));
  };
  return { a, far, say, greet, distrusted };
}

export const LANES = ['bulk', 'urgent'] as const;

/** Of a codec of its own: what it says holds on any link. */
export function bytesOf(frame: LinkFrame | string): string {
  if (typeof frame === 'string') return frame;
  const encoded = encodeFrame(createCodec(), frame);
  assert.ok(encoded.ok);
  return encoded.value;
}

export function helloBytes(hello: Hello): string {
  const encoded = encodeHello(hello);
  assert.ok(encoded.ok);
  return encoded.value;
}
