/** Messages to walk an address pool and one of its blocks with; see machine-samples.ts. */
import type { BlockEvent } from '../../machines/block.js';
import type { Meta } from '../../machines/model/effects.js';
import type { PoolEvent } from '../../machines/pool.js';
import { WEB } from './group-spec.js';

/** Without what the runtime adds. */
type Bare<E> = E extends { readonly meta: Meta } ? Omit<E, 'meta'> : never;

const activated = { type: 'activated', children: [] } as const;

export const POOL: readonly Bare<PoolEvent>[] = [
  activated,
  { type: 'pool.desired', spec: { name: 'public', cidr: '192.0.2.0/30', generation: 1 } },
  { type: 'pool.desired', spec: { name: 'public', cidr: '198.51.100.0/24', generation: 2 } },
  ...['a', 'b', 'c', 'd', 'e'].flatMap((name) => [
    { type: 'pool.allocate', frontend: `acme/${name}` as typeof WEB } as const,
    { type: 'pool.release', frontend: `acme/${name}` as typeof WEB } as const,
  ]),
  { type: 'block.told', frontend: WEB, address: '192.0.2.1' },
  { type: 'block.told', frontend: WEB, address: null },
  { type: 'block.adopted', frontends: [WEB] },
];

export const BLOCK: readonly Bare<BlockEvent>[] = [
  activated,
  ...['a', 'b', 'c', 'd', 'e'].flatMap((name) => {
    const frontend = `acme/${name}` as typeof WEB;
    return [
      { type: 'block.allocate', frontend, cidr: '192.0.2.0/30' } as const,
      { type: 'block.allocate', frontend, cidr: '192.0.2.0/24' } as const,
      { type: 'block.release', frontend } as const,
    ];
  }),
  { type: 'block.adopt', allocations: { 'acme/z': '192.0.2.9' } },
];
