/**
 * A node of toys on a real database, driven by a few commands and reporting what can be seen of it, so
 * that the same outage can be played here and in a process that has no more disk.
 */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { wholeOf } from '../../src/ports/feed-text.js';
import type { Store } from '../../src/ports/store.js';
import { unwrap } from '../contract/store-fixture.js';
import { type ToyWorld, toyWorld } from './toy-node.js';

export type Command =
  | { readonly do: 'tell'; readonly to: string; readonly type: string; readonly by: number[] }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'look' }
  /** Takes what is left of the disk with a file of this name, or gives it back. */
  | { readonly do: 'fill' | 'free'; readonly file: string };

export interface Report {
  readonly reflexOnly: string | null;
  /** What effects said, in order. */
  readonly said: readonly string[];
  readonly depths: Readonly<Record<string, number>>;
  readonly totals: Readonly<Record<string, number>>;
  /** As stored: `actor by` of every addition in order, and everything that says how often. */
  readonly added: readonly string[];
  readonly ids: readonly string[];
  readonly events: readonly string[];
  readonly aggregateVersions: readonly number[];
  readonly versions: Readonly<Record<string, number>>;
}

export interface OutageNode {
  act(command: Command): Promise<Report | undefined>;
}

export async function outageNode(store: Store, incarnation = 1): Promise<OutageNode> {
  const world = await toyWorld({ store, incarnation });
  return { act: (command) => act(world, store, command) };
}

async function act(world: ToyWorld, store: Store, command: Command): Promise<Report | undefined> {
  switch (command.do) {
    case 'tell':
      for (const by of command.by) {
        const message = { type: command.type, by } as Message;
        world.host.tell(addressOf('group', command.to), message, 'test');
      }
      return undefined;
    case 'wait':
      await world.clock.advance(command.ms);
      return undefined;
    case 'fill':
      fill(command.file);
      return undefined;
    case 'free':
      rmSync(command.file, { force: true });
      return undefined;
    case 'look':
      return look(world, store);
  }
}

function fill(file: string): void {
  const handle = openSync(file, 'w');
  try {
    for (let size = 65_536; size >= 512; ) {
      try {
        writeSync(handle, Buffer.alloc(size));
      } catch {
        size /= 2;
      }
    }
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

async function look({ host, said }: ToyWorld, store: Store): Promise<Report> {
  const entries = unwrap(await store.journal(0, 10_000));
  const rows = unwrap(await store.outboxPending(0, 10_000));
  const actors = host.actorViews().map((view) => [view['address'], view['mailboxDepth']]);
  const totals = host.views('group').map(({ address, total }) => [address, total]);
  const cells = unwrap(await store.load(['group']));
  return {
    reflexOnly: host.reflexOnly ?? null,
    said: [...said],
    depths: Object.fromEntries(actors),
    totals: Object.fromEntries(totals),
    added: entries
      .filter(({ event }) => event === 'toy.added')
      .map(({ actor, numbers }) => `${actor} ${numbers['by']}`),
    ids: entries.map(({ id }) => id),
    events: rows.map(({ event }) => event.eventId),
    aggregateVersions: rows.map(({ event }) => wholeOf(event).aggregateVersion),
    versions: Object.fromEntries(cells.map(({ address, version }) => [address, version])),
  };
}
