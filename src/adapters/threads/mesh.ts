/**
 * All links of one thread: the way its host reaches the others, and they reach it.
 *
 * A peer that is being replaced keeps its messages waiting here (bounded) until its successor is
 * linked; questions to it fail at once. Peers, stores and queries share a link.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Json } from '../../../machines/model/json.js';
import type { Result } from '../../../machines/model/result.js';
import type { Log } from '../../ports/log.js';
import type { AskFailure } from '../../runtime/asks.js';
import type { Envelope } from '../../runtime/envelope.js';
import type { Remote } from '../../runtime/kernel.js';
import type { LinkFrame } from '../../wire/link-frame.js';
import { type Link, openLink } from './link.js';
import type { StoreChannel } from './remote-store.js';

/** Messages kept for a peer that is away. */
export const AWAY_MESSAGES_MAX = 4_096;

export interface MeshOptions {
  readonly thread: string;
  readonly incarnation: number;
  readonly log: Log;
  /** An envelope arrived for an actor of this thread. */
  deliver(envelope: Envelope): void;
  /** An answer arrived to an ask of this thread. */
  settle(replyTo: string, outcome: Result<Json, AskFailure>): void;
  /** Another thread reads: by name, answered with plain data. */
  answer(name: string, args: Json): Json | Promise<Json>;
  /** Both ends of the store's protocol, where this thread has one. */
  readonly store?: { attach(channel: StoreChannel): void };
  /** `store`: only links to this peer carry it; absent: links to every peer (the store thread). */
  readonly storePeer?: string;
}

export interface Mesh extends Remote {
  attach(peer: string, port: MessagePort): void;
  detach(peer: string): void;
  /** `undefined`: the peer is not there, or went while asked. */
  query(peer: string, name: string, args: Json): Promise<Json | undefined>;
  peers(): readonly string[];
  close(): void;
}

export function createMesh(options: MeshOptions): Mesh {
  const links = new Map<string, Link>();
  const away = new Map<string, Envelope[]>();
  const queries = new Map<number, { peer: string; resolve: (body: Json | undefined) => void }>();
  let nextQuery = 1;

  const forget = (link: Link): void => {
    if (links.get(link.peer) !== link) return;
    links.delete(link.peer);
    away.set(link.peer, away.get(link.peer) ?? []);
    for (const [id, query] of queries) {
      if (query.peer !== link.peer) continue;
      queries.delete(id);
      query.resolve(undefined);
    }
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
        queries.get(frame.id)?.resolve(frame.body);
        queries.delete(frame.id);
        return;
      default:
        return;
    }
  };

  const answer = (link: Link, { id, name, args }: LinkFrame & { type: 'query' }): void => {
    const respond = (body: Json): void => void link.post({ type: 'answer', id, body });
    Promise.resolve(options.answer(name, args)).then(respond, (error: unknown) => {
      options.log.error({ peer: link.peer, name, err: error }, 'query failed');
      respond(null);
    });
  };

  return {
    attach: (peer, port) => {
      const { thread, incarnation, log } = options;
      links.get(peer)?.close();
      const link = openLink({ port, peer, log, self: { thread, incarnation } });
      links.set(peer, link);
      link.onFrame((frame) => receive(link, frame));
      link.onClose(() => forget(link));
      const carriesStore = options.storePeer === undefined || options.storePeer === peer;
      if (carriesStore) options.store?.attach(link);
      for (const envelope of away.get(peer) ?? []) link.send(envelope);
      away.delete(peer);
    },
    detach: (peer) => links.get(peer)?.close(),
    send: (peer, envelope) => {
      const link = links.get(peer);
      if (link !== undefined) {
        link.send(envelope);
        return true;
      }
      const waiting = away.get(peer) ?? [];
      if (envelope.replyTo !== undefined || waiting.length >= AWAY_MESSAGES_MAX) return false;
      waiting.push(envelope);
      away.set(peer, waiting);
      return true;
    },
    reply: (peer, replyTo, outcome) => {
      links.get(peer)?.post({ type: 'reply', to: replyTo, body: outcome as unknown as Json });
    },
    query: (peer, name, args) =>
      new Promise((resolve) => {
        const link = links.get(peer);
        if (link === undefined) return resolve(undefined);
        const id = nextQuery++;
        queries.set(id, { peer, resolve });
        link.post({ type: 'query', id, name, args });
      }),
    peers: () => [...links.keys()],
    close: () => {
      for (const link of links.values()) link.close();
    },
  };
}
