/**
 * One end of the link between two threads: two MessagePorts, hello first on each.
 *
 * Envelopes are gathered until the current turn ends, or until a batch is full, and leave as one frame
 * on the bulk port while the peer has credit for them (src/wire/credit.ts); without credit they wait
 * here, bounded, and at the bound the sender is told. Answers, credit and ends travel on the urgent
 * port and are never behind envelopes.
 *
 * A malformed frame, a frame on the wrong port or a peer that speaks otherwise closes the link: there
 * is no half-trusted peer. Closing is seen once, whichever end began it, and after both ports have
 * handed over what was sent before it.
 *
 * Rules: [WI-20] credit; [WI-21] what does not fit is told to the sender; [WI-22] two ports.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { ok, type Result } from '../../../machines/model/result.js';
import type { Log } from '../../ports/log.js';
import { createCodec } from '../../wire/codec.js';
import { createCredit } from '../../wire/credit.js';
import type { Envelope } from '../../wire/envelope.js';
import type { WireFailure } from '../../wire/failures.js';
import { decodeHello, encodeHello, helloOf, type Lane } from '../../wire/hello.js';
import {
  BATCH_BYTES_MAX,
  BATCH_BYTES_TARGET,
  BATCH_ENVELOPES_MAX,
  LINK_QUEUE_MAX,
} from '../../wire/limits.js';
import { decodeFrame, encodeFrame, type LinkFrame, laneOf } from '../../wire/link-frame.js';

export type LinkPorts = Readonly<Record<Lane, MessagePort>>;

export interface Link {
  readonly peer: string;
  /** False: it waits for credit as much as may wait; the message was not taken. */
  send(letter: Envelope): boolean;
  post(frame: LinkFrame): Result<void, WireFailure>;
  /** How many have not left yet. */
  readonly waiting: number;
  /** Once it is closed: what had not left. */
  unsent(): readonly Envelope[];
  onFrame(listener: (frame: LinkFrame) => void): void;
  onClose(listener: () => void): void;
  close(): void;
}

export interface LinkOptions {
  readonly ports: LinkPorts;
  readonly self: { readonly thread: string; readonly incarnation: number };
  readonly peer: string;
  /** Which life of the peer this link was made for. */
  readonly peerIncarnation: number;
  readonly log: Log;
  /** False: this thread has more waiting than it should; the peer gets no more credit for now. */
  hasRoom?(): boolean;
  /** That message is too large to cross, or is no plain data; its companions do. */
  onLost?(letter: Envelope, failure: WireFailure): void;
  /** The peer sent what cannot be believed; the link is closing. */
  onDistrust?(failure: WireFailure): void;
}

/** How soon a thread that had no room looks again whether it has. */
const ROOM_POLL_MS = 1;

/** The two ends of a new link. */
export function linkPorts(): readonly [LinkPorts, LinkPorts] {
  const bulk = new MessageChannel();
  const urgent = new MessageChannel();
  return [
    { bulk: bulk.port1, urgent: urgent.port1 },
    { bulk: bulk.port2, urgent: urgent.port2 },
  ];
}

export function openLink(options: LinkOptions): Link {
  const { ports, self, peer, log } = options;
  const hasRoom = options.hasRoom ?? ((): boolean => true);
  const codec = createCodec();
  const credit = createCredit();
  const listeners: ((frame: LinkFrame) => void)[] = [];
  const closers: (() => void)[] = [];
  const greeted: Record<Lane, boolean> = { bulk: false, urgent: false };
  let queue: Envelope[] = [];
  let batchMax = BATCH_ENVELOPES_MAX;
  let leaving = false;
  let waitsForRoom = false;
  let closed = false;
  let portsOpen = 2;

  /** At this end; the peer sees it by its ports. */
  const close = (): void => {
    if (closed) return;
    flush();
    closed = true;
    ports.urgent.close();
    ports.bulk.close();
    for (const closer of closers) closer();
  };

  /** What the peer sent on the other port before it closed this one has arrived: it is read first. */
  const portClosed = (lane: Lane): void => {
    portsOpen -= 1;
    if (closed) return;
    if (portsOpen > 0) return ports[lane === 'bulk' ? 'urgent' : 'bulk'].close();
    closed = true;
    for (const closer of closers) closer();
  };

  const distrust = (failure: WireFailure): void => {
    log.error({ peer, ...failure }, 'link closed: its peer sent what cannot be read');
    close();
    options.onDistrust?.(failure);
  };

  const post = (frame: LinkFrame): Result<void, WireFailure> => {
    const lane = laneOf(frame);
    // What was sent earlier on the same port leaves earlier, as far as there is credit for it.
    if (lane === 'bulk' && queue.length > 0) flush();
    const encoded = encodeFrame(codec, frame);
    if (!encoded.ok) return encoded;
    if (!closed) ports[lane].postMessage(encoded.value);
    return ok(undefined);
  };

  const leave = (): void => {
    leaving = false;
    flush();
  };

  const flush = (): void => {
    while (!closed && queue.length > 0 && credit.left > 0) {
      const count = Math.min(queue.length, batchMax, credit.left);
      const letters = count === queue.length ? queue : queue.slice(0, count);
      queue = count === queue.length ? [] : queue.slice(count);
      postBatch(letters);
    }
    // A batch that left while there was no room has carried no grant.
    if (credit.due) grant();
  };

  /** Halved until it fits: one oversized envelope must not cost its companions. */
  const postBatch = (letters: readonly Envelope[]): void => {
    const received = credit.tell(hasRoom());
    const encoded = encodeFrame(codec, { type: 'envelopes', received, items: letters });
    const bytes = encoded.ok ? encoded.value.length : 0;
    if (encoded.ok && (bytes <= BATCH_BYTES_MAX || letters.length === 1)) {
      const perLetter = bytes / letters.length;
      batchMax = Math.floor(BATCH_BYTES_TARGET / perLetter);
      batchMax = Math.max(1, Math.min(BATCH_ENVELOPES_MAX, batchMax));
      credit.posted(letters.length);
      ports.bulk.postMessage(encoded.value);
      return;
    }
    const [letter] = letters;
    if (letters.length === 1 && letter !== undefined && !encoded.ok) {
      log.error({ peer, to: letter.to, ...encoded.failure }, 'message lost: it cannot cross');
      return options.onLost?.(letter, encoded.failure);
    }
    codec.writer.forget();
    const half = Math.ceil(letters.length / 2);
    postBatch(letters.slice(0, half));
    postBatch(letters.slice(half));
  };

  const send = (letter: Envelope): boolean => {
    if (closed || queue.length >= LINK_QUEUE_MAX) return false;
    queue.push(letter);
    if (queue.length >= batchMax) flush();
    else if (!leaving) {
      leaving = true;
      // The end of the turn that sends: an event loop turn later would delay every ask by that much.
      queueMicrotask(leave);
    }
    return true;
  };

  /** With envelopes about to leave the count travels with them, for nothing. */
  const grant = (): void => {
    if (closed || !credit.due || (queue.length > 0 && credit.left > 0)) return;
    if (hasRoom()) return void post({ type: 'credit', received: credit.tell(true) });
    if (waitsForRoom) return;
    waitsForRoom = true;
    setTimeout(() => {
      waitsForRoom = false;
      grant();
    }, ROOM_POLL_MS);
  };

  const greet = (lane: Lane, bytes: unknown): void => {
    const hello = decodeHello(bytes);
    if (!hello.ok) return distrust(hello.failure);
    const { thread, incarnation, lane: named } = hello.value;
    const who = `${thread} ${incarnation} on its ${named} port`;
    const expected = `${peer} ${options.peerIncarnation} on its ${lane} port`;
    if (who !== expected) {
      return distrust({ code: 'malformed', message: `it is ${who}, not ${expected}` });
    }
    greeted[lane] = true;
  };

  const receive = (lane: Lane, bytes: unknown): void => {
    // A port still hands over what had arrived when it was closed at this end.
    if (closed) return;
    if (!greeted[lane]) return greet(lane, bytes);
    const decoded = decodeFrame(codec, bytes);
    if (!decoded.ok) return distrust(decoded.failure);
    const frame = decoded.value;
    if (laneOf(frame) !== lane) {
      return distrust({ code: 'malformed', message: `a frame ${frame.type} on its ${lane} port` });
    }
    if (frame.type === 'envelopes' || frame.type === 'credit') {
      if (!credit.acknowledged(frame.received)) return distrust(MORE_THAN_SENT);
      flush();
    }
    const arrived = frame.type === 'envelopes' ? frame.items.length : 0;
    if (!credit.arrived(arrived)) return distrust(MORE_THAN_ALLOWED);
    for (const listener of listeners) listener(frame);
    credit.taken(arrived);
    grant();
  };

  for (const lane of ['bulk', 'urgent'] as const) {
    ports[lane].on('message', (bytes: unknown) => receive(lane, bytes));
    ports[lane].on('close', () => portClosed(lane));
    const hello = encodeHello(helloOf(self.thread, self.incarnation, lane));
    if (hello.ok) ports[lane].postMessage(hello.value);
  }

  return {
    peer,
    post,
    close,
    send,
    get waiting() {
      return queue.length;
    },
    unsent: () => queue,
    onFrame: (listener) => void listeners.push(listener),
    onClose: (listener) => void closers.push(listener),
  };
}

const MORE_THAN_SENT: WireFailure = {
  code: 'malformed',
  message: 'it received more envelopes than were sent',
};

const MORE_THAN_ALLOWED: WireFailure = {
  code: 'malformed',
  message: 'it sent more envelopes than it had credit for',
};
