/**
 * The pool actor: one per address pool of the config. It knows by heart which of its blocks has what; the
 * blocks' rows are what is on disk.
 */
import { addressOfBlock } from '../machines/block.js';
import { addressOf, type FrontendName } from '../machines/model/ids.js';
import type { BlockMessage, FrontendMessage } from '../machines/model/messages.js';
import {
  type BooksParams,
  type NoteParams,
  type PoolMemory,
  poolMachine,
  type RangeParams,
  type RouteParams,
} from '../machines/pool.js';
import { blockOf } from '../src/policy/address-pool.js';
import { createPoolIndex, type PoolIndex } from '../src/policy/pool-index.js';
import { type ActorType, observed, type World } from '../src/runtime/actor-type.js';

type PoolWorld = World<unknown, PoolIndex>;
type Allocations = PoolMemory['allocations'];

function openBooks(params: BooksParams, { scope, companion: index }: PoolWorld): void {
  const { name, cidr, blocks, allocations } = params;
  if (cidr !== null) index.use(cidr);
  const books = blocks.map(({ context }) => (context['allocations'] ?? {}) as Allocations);
  for (const [frontend, address] of [...books, allocations].flatMap(Object.entries)) {
    index.seat(frontend, String(address));
  }
  for (const [block, part] of byBlock(allocations)) {
    const message: BlockMessage = { type: 'block.adopt', allocations: part };
    scope.tell(addressOfBlock(name, block), message);
  }
}

function byBlock(allocations: Allocations): ReadonlyMap<string, Record<string, string>> {
  const blocks = new Map<string, Record<string, string>>();
  for (const [frontend, address] of Object.entries(allocations)) {
    const block = blockOf(address);
    const part = blocks.get(block) ?? {};
    part[frontend] = address;
    blocks.set(block, part);
  }
  return blocks;
}

function route(params: RouteParams, { scope, companion: index }: PoolWorld): void {
  const { name, cidr, frontend } = params;
  if (cidr === null) return refuse(params, scope, 'it has no range yet');
  const block = index.blockFor(frontend);
  if (block === undefined) {
    const why = `all of ${cidr} is given: ${index.size} addresses in use`;
    return refuse(params, scope, why);
  }
  const message: BlockMessage = { type: 'block.allocate', frontend, cidr };
  scope.tell(addressOfBlock(name, block), message);
}

function refuse({ name, frontend }: RouteParams, scope: PoolWorld['scope'], why: string): void {
  const message = `pool "${name}" has no address to give: ${why}`;
  answer(scope, frontend, { type: 'pool.exhausted', pool: name, message });
}

function routeBack({ name, frontend }: RouteParams, { scope, companion: index }: PoolWorld): void {
  const block = index.blockOf(frontend);
  if (block === undefined) return answer(scope, frontend, { type: 'pool.released', pool: name });
  const message: BlockMessage = { type: 'block.release', frontend };
  scope.tell(addressOfBlock(name, block), message);
}

function answer(scope: PoolWorld['scope'], to: FrontendName, message: FrontendMessage): void {
  scope.tell(addressOf('frontend', to), message);
}

function note({ frontend, address }: NoteParams, { companion: index }: PoolWorld): void {
  if (address === null) index.unseat(frontend);
  else index.seat(frontend, address);
}

export const poolActor: ActorType<unknown, PoolIndex> = {
  kind: 'pool',
  machine: poolMachine,
  version: 1,
  stored: true,
  implicit: true,
  companion: createPoolIndex,
  effects: {
    openBooks: observed(openBooks),
    useRange: observed<RangeParams, unknown, PoolIndex>(({ cidr }, { companion: index }) =>
      index.use(cidr),
    ),
    route: observed(route),
    routeBack: observed(routeBack),
    note: observed(note),
  },
  view: ({ context }, index) => {
    const { name, spec } = context as unknown as PoolMemory;
    return { name, cidr: spec?.cidr, given: index.size };
  },
};
