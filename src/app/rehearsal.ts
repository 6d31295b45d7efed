/**
 * What a spare thread rehearses: a shard's groups and their instances, at the address of no tenant.
 */
import type { GroupSpec } from '../../machines/model/desired.js';
import {
  type Address,
  addressOf,
  type FrontendName,
  groupKeyOf,
  keyOf,
  type TenantId,
} from '../../machines/model/ids.js';
import { OUTSIDE } from '../runtime/envelope.js';
import type { Scene } from '../runtime/rehearsal.js';
import { castOf } from './roles.js';

const TENANT = 'rehearsal' as TenantId;
const GROUP = groupKeyOf(TENANT, 'group');
const SIZE = 50;
const MINUTE_MS = 60_000;

const SPEC: GroupSpec = {
  key: GROUP,
  tenant: TENANT,
  name: 'group',
  size: SIZE,
  maxSize: SIZE,
  template: { name: 'template', provider: 'nobody', spec: {}, vars: {}, infraHash: 'none' },
  health: {
    source: 'probe',
    graceMs: MINUTE_MS,
    agentIntervalMs: MINUTE_MS,
    missedReports: 3,
    replaceAfterMs: MINUTE_MS,
  },
  drain: { timeoutMs: MINUTE_MS, holdMaxMs: MINUTE_MS },
  replace: 'create-first',
  bootTimeoutMs: MINUTE_MS,
  resyncIntervalMs: MINUTE_MS,
  deletedRetentionMs: MINUTE_MS,
  retry: { baseMs: MINUTE_MS, maxMs: MINUTE_MS, attempts: 8, jitter: 0 },
  frontends: ['rehearsal/frontend' as FrontendName],
  generation: 1,
};

const CAUSE = 'rehearsal';

export function shardScene(): Scene {
  const to = addressOf('group', GROUP);
  return {
    types: castOf(['shard']).types,
    opening: [envelope(to, { type: 'group.desired', spec: SPEC })],
    plays: (address) => address.startsWith('instance/'),
    // Other names of the same length, in every place where they stand.
    again: (rows, take) => {
      const digits = String(take).padStart(4, '0');
      return rows
        .replaceAll(GROUP, `rehearsal/g${digits}`)
        .replaceAll(/(i-[0-9a-f]{4}-)[0-9a-f]{4}/g, `$1${digits}`);
    },
    ask: ({ address, context }) =>
      envelope(address, {
        type: 'provider.created',
        token: String(context['token']),
        providerId: keyOf(address),
        address: '192.0.2.1',
      }),
  };
}

function envelope<M>(to: Address, body: M) {
  return { to, from: OUTSIDE, cause: CAUSE, body: body as never };
}
