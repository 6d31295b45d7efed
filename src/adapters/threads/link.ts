/**
 * One end of the link between two threads: frames over a MessagePort, hello first.
 *
 * Envelopes are gathered until the end of the tick (or until the batch is full) and posted as one
 * frame. A malformed frame or a peer that speaks otherwise closes the link: there is no half-trusted
 * peer. Closing is seen once, whichever end began it; what was sent before it still leaves.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Result } from '../../../machines/model/result.js';
import type { Log } from '../../ports/log.js';
import { createCodec } from '../../wire/codec.js';
import { type Letter, sealEnvelope } from '../../wire/envelope.js';
import type { WireFailure } from '../../wire/failures.js';
import { decodeHello, encodeHello, helloOf } from '../../wire/hello.js';
import { BATCH_ENVELOPES_MAX } from '../../wire/limits.js';
import { decodeFrame, encodeFrame, type LinkFrame } from '../../wire/link-frame.js';

export interface Link {
  readonly peer: string;
  send(letter: Letter): void;
  post(frame: LinkFrame): Result<void, WireFailure>;
  onFrame(listener: (frame: LinkFrame) => void): void;
  onClose(listener: () => void): void;
  close(): void;
}

export interface LinkOptions {
  readonly port: MessagePort;
  readonly self: { readonly thread: string; readonly incarnation: number };
  readonly peer: string;
  readonly log: Log;
}

export function openLink({ port, self, peer, log }: LinkOptions): Link {
  const codec = createCodec();
  const listeners: ((frame: LinkFrame) => void)[] = [];
  const closers: (() => void)[] = [];
  let batch: Letter[] = [];
  let flushing = false;
  let greeted = false;
  let closed = false;
  let received = 0;

  const close = (): void => {
    if (closed) return;
    flush();
    closed = true;
    port.close();
    for (const closer of closers) closer();
  };

  const distrust = (failure: WireFailure): void => {
    log.error({ peer, ...failure }, 'link closed: its peer sent what cannot be read');
    close();
  };

  const post = (frame: LinkFrame): Result<void, WireFailure> => {
    const encoded = encodeFrame(codec, frame);
    if (!encoded.ok) return encoded;
    if (!closed) port.postMessage(encoded.value);
    return { ok: true, value: undefined };
  };

  const flush = (): void => {
    flushing = false;
    const letters = batch;
    batch = [];
    for (let at = 0; at < letters.length; at += BATCH_ENVELOPES_MAX) {
      postBatch(letters.slice(at, at + BATCH_ENVELOPES_MAX));
    }
  };

  /** One oversized envelope must not cost its companions: the batch is halved until it fits. */
  const postBatch = (letters: readonly Letter[]): void => {
    const items = letters.map((letter) => sealEnvelope(letter, self.incarnation));
    const posted = post({ type: 'envelopes', received, items });
    if (posted.ok) return;
    if (letters.length === 1) {
      log.error({ peer, to: letters[0]?.to, ...posted.failure }, 'message lost: it cannot cross');
      return;
    }
    const half = Math.ceil(letters.length / 2);
    postBatch(letters.slice(0, half));
    postBatch(letters.slice(half));
  };

  const greet = (bytes: unknown): void => {
    const hello = decodeHello(bytes);
    if (!hello.ok) return distrust(hello.failure);
    const { thread } = hello.value;
    if (thread !== peer) return distrust({ code: 'malformed', message: `it is ${thread}` });
    greeted = true;
  };

  port.on('message', (bytes: unknown) => {
    // The port still hands over what had arrived when it was closed at this end.
    if (closed) return;
    if (!greeted) return greet(bytes);
    const frame = decodeFrame(codec, bytes);
    if (!frame.ok) return distrust(frame.failure);
    if (frame.value.type === 'envelopes') received += frame.value.items.length;
    for (const listener of listeners) listener(frame.value);
  });
  port.on('close', close);
  const hello = encodeHello(helloOf(self.thread, self.incarnation));
  if (hello.ok) port.postMessage(hello.value);

  return {
    peer,
    post,
    close,
    send: (letter) => {
      batch.push(letter);
      if (flushing) return;
      flushing = true;
      setImmediate(flush);
    },
    onFrame: (listener) => void listeners.push(listener),
    onClose: (listener) => void closers.push(listener),
  };
}
