/** The site of the groups bench: many tenants with groups on a simulated cloud that takes no time. */

export interface Fleet {
  readonly groups: number;
  readonly size: number;
}

const GROUPS_PER_TENANT = 10;

export const PROVIDER = 'cloud';

export function instancesOf({ groups, size }: Fleet): number {
  return groups * size;
}

export function siteOf({ groups, size }: Fleet): string {
  const tenants: string[] = [];
  for (let first = 0; first < groups; first += GROUPS_PER_TENANT) {
    tenants.push(`  t${first}:`, '    groups:');
    for (let group = first; group < Math.min(groups, first + GROUPS_PER_TENANT); group += 1) {
      tenants.push(`      g${group}: { template: app, size: ${size} }`);
    }
  }
  return `node: { name: bench }
log: { level: error }
providers:
  ${PROVIDER}: { driver: simulated, createRate: off, maxInstances: 1000000, concurrency: 1000 }
templates: { app: { provider: ${PROVIDER}, spec: {} } }
dataplane: { driver: none }
outbox: { sink: { driver: nop } }
admin: { listen: off }
tenants:
${tenants.join('\n')}
`;
}
