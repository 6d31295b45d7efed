/**
 * All links of one thread: the way its host reaches the others, and they reach it.
 *
 * A peer that is being replaced keeps its messages waiting here (bounded) until its successor is
 * linked, those first that still waited for credit of the dead one; questions to it fail at once.
 * Peers, stores, watches and queries share a link.
 *
 * Every query ends: with an answer, with the peer, or at its deadline; what does not fit a frame is
 * answered with that.
 */
import type { Json } from '../../../machines/model/json.js';
import { fail, type Result } from '../../../machines/model/result.js';
import type { Log } from '../../ports/log.js';
import type { AskFailure } from '../../runtime/asks.js';
import type { Envelope } from '../../runtime/envelope.js';
import type { Remote } from '../../runtime/kernel.js';
import type { WatchFrame } from '../../runtime/watches.js';
import { LINK_QUEUE_MAX } from '../../wire/limits.js';
import type { LinkFrame } from '../../wire/link-frame.js';
import { type Link, type LinkPorts, openLink } from './link.js';
import type { StoreChannel } from './remote-store.js';

/** How long a thread may take to answer a query; one that hangs must not hang its readers. */
const QUERY_TIMEOUT_MS = 5_000;

export interface MeshOptions {
  readonly thread: string;
  readonly incarnation: number;
  readonly log: Log;
  /** An envelope arrived for an actor of this thread. */
  deliver(envelope: Envelope): void;
  /** An answer arrived to an ask of this thread. */
  settle(replyTo: string, outcome: Result<Json, AskFailure>): void;
  /** An actor of another thread watches one of this thread, or the other way round. */
  watched?(peer: string, frame: WatchFrame): void;
  /** A message of this thread that cannot cross: whoever sent it should know. */
  undelivered?(envelope: Envelope): void;
  /** The link to that life of a peer is over: what was asked of it will not be answered. */
  lost?(peer: Peer): void;
  /** A peer sent what cannot be believed. Its link is closed; whoever started it must end it. */
  distrusts?(peer: Peer, message: string): void;
  /** False: more waits in this thread than should; its peers get no more credit for now. */
  hasRoom?(): boolean;
  /** Another thread reads: by name, answered with plain data. */
  answer(name: string, args: Json): Json | Promise<Json>;
  /** Both ends of the store's protocol, where this thread has one. */
  readonly store?: { attach(channel: StoreChannel): void };
  /** `store`: only links to this peer carry it; absent: links to every peer (the store thread). */
  readonly storePeer?: string;
  readonly queryTimeoutMs?: number;
}

/** One life of a thread. */
export interface Peer {
  readonly name: string;
  readonly incarnation: number;
}

export interface Mesh extends Remote {
  attach(peer: Peer, ports: LinkPorts): void;
  detach(peer: string): void;
  /** `undefined`: the peer is not there, went while asked, or gave no answer in time. */
  query(peer: string, name: string, args: Json): Promise<Json | undefined>;
  peers(): readonly string[];
  /** Envelopes that have not left yet, whoever they are for. */
  waiting(): number;
  close(): void;
}

interface Asked {
  readonly peer: string;
  readonly resolve: (body: Json | undefined) => void;
  readonly deadline: NodeJS.Timeout;
}

const TOO_LARGE = fail({
  code: 'not-taken',
  message: 'the answer is too large to cross threads',
}) as unknown as Json;

export function createMesh(options: MeshOptions): Mesh {
  const { queryTimeoutMs = QUERY_TIMEOUT_MS } = options;
  const links = new Map<string, Link>();
  const away = new Map<string, Envelope[]>();
  const queries = new Map<number, Asked>();
  let nextQuery = 1;

  const forget = (link: Link, peer: Peer): void => {
    if (links.get(peer.name) !== link) return;
    links.delete(peer.name);
    // Questions are not asked of a successor: whoever asked hears of the loss at once.
    away.set(
      peer.name,
      link.unsent().filter(({ replyTo }) => replyTo === undefined),
    );
    for (const [id, asked] of [...queries]) if (asked.peer === peer.name) settle(id, undefined);
    options.lost?.(peer);
  };

  const settle = (id: number, body: Json | undefined): void => {
    const asked = queries.get(id);
    if (asked === undefined) return;
    queries.delete(id);
    clearTimeout(asked.deadline);
    asked.resolve(body);
  };

  const receive = (link: Link, frame: LinkFrame): void => {
    switch (frame.type) {
      case 'envelopes':
        for (const envelope of frame.items) options.deliver(envelope);
        return;
      case 'reply':
        return options.settle(frame.to, frame.body as unknown as Result<Json, AskFailure>);
      case 'query':
        return answer(link, frame);
      case 'answer':
        return settle(frame.id, frame.body);
      case 'watch':
      case 'unwatch':
      case 'down':
        return options.watched?.(link.peer, frame);
      default:
        return;
    }
  };

  const answer = (link: Link, { id, name, args }: LinkFrame & { type: 'query' }): void => {
    const respond = (body: Json): void => {
      const posted = link.post({ type: 'answer', id, body });
      if (posted.ok) return;
      options.log.error({ peer: link.peer, name, ...posted.failure }, 'answer does not cross');
      link.post({ type: 'answer', id, body: null });
    };
    Promise.resolve(options.answer(name, args)).then(respond, (error: unknown) => {
      options.log.error({ peer: link.peer, name, err: error }, 'query failed');
      respond(null);
    });
  };

  return {
    attach: (peer, ports) => {
      const { thread, incarnation, log, hasRoom, distrusts, undelivered } = options;
      const { name } = peer;
      links.get(name)?.close();
      const link = openLink({
        ports,
        peer: name,
        peerIncarnation: peer.incarnation,
        log,
        self: { thread, incarnation },
        ...(hasRoom === undefined ? {} : { hasRoom }),
        onLost: (letter) => undelivered?.(letter),
        onDistrust: ({ message }) => distrusts?.(peer, message),
      });
      links.set(name, link);
      link.onFrame((frame) => receive(link, frame));
      link.onClose(() => forget(link, peer));
      const carriesStore = options.storePeer === undefined || options.storePeer === name;
      if (carriesStore) options.store?.attach(link);
      for (const envelope of away.get(name) ?? []) link.send(envelope);
      away.delete(name);
    },
    detach: (peer) => links.get(peer)?.close(),
    send: (peer, envelope) => {
      const link = links.get(peer);
      if (link !== undefined) return link.send(envelope) || 'link-full';
      const waiting = away.get(peer) ?? [];
      if (envelope.replyTo !== undefined) return false;
      if (waiting.length >= LINK_QUEUE_MAX) return 'link-full';
      waiting.push(envelope);
      away.set(peer, waiting);
      return true;
    },
    reply: (peer, replyTo, outcome) => {
      const link = links.get(peer);
      const posted = link?.post({ type: 'reply', to: replyTo, body: outcome as unknown as Json });
      if (posted === undefined || posted.ok) return;
      options.log.error({ peer, to: replyTo, ...posted.failure }, 'answer does not cross');
      link?.post({ type: 'reply', to: replyTo, body: TOO_LARGE });
    },
    watch: (peer, frame) => links.get(peer)?.post(frame).ok === true,
    query: (peer, name, args) =>
      new Promise((resolve) => {
        const link = links.get(peer);
        if (link === undefined) return resolve(undefined);
        const id = nextQuery++;
        const deadline = setTimeout(() => settle(id, undefined), queryTimeoutMs);
        queries.set(id, { peer, resolve, deadline });
        if (!link.post({ type: 'query', id, name, args }).ok) settle(id, undefined);
      }),
    peers: () => [...links.keys()],
    waiting: () => {
      let waiting = 0;
      for (const link of links.values()) waiting += link.waiting;
      for (const letters of away.values()) waiting += letters.length;
      return waiting;
    },
    close: () => {
      for (const link of links.values()) link.close();
    },
  };
}
