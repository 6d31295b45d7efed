/** Ways into states that chance seldom finds: what is said to an actor, in order, given what it holds. */
import type { ActorKind } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { B1, B2, B3, desired, POOLED, verdict } from './frontend-lab.js';
import { frontendStatus, groupStatus, tenantSpec } from './tenant-spec.js';

interface Line {
  readonly type: string;
}

export type Script = readonly (Line | ((context: JsonObject) => Line))[];

const said = (type: string, more: object = {}): Line => ({ type, ...more });
const decided = ({ revision }: JsonObject): Line => said('frontend.decided', { revision });
const gone = ({ wish }: JsonObject): Line => said('vip.gone', { revision: wish });
const up = [B1, B2, B3].map((_, index) => verdict(`b${index + 1}`, 'up'));

export const SCRIPTS: Readonly<Partial<Record<ActorKind, readonly Script[]>>> = {
  frontend: [
    // Its first pool fails and comes back: it has to stand for a while.
    [
      ...[desired(), decided, ...up, verdict('b1', 'down'), verdict('b2', 'down')],
      ...[verdict('b1', 'up'), verdict('b2', 'up')],
    ],
    // Removed with an address of a pool, which it gives back.
    [
      said('frontend.desired', { spec: POOLED, owner: 'tenant/acme' }),
      decided,
      said('pool.allocated', { pool: 'public', address: '192.0.2.7' }),
      ...[...up, said('frontend.removed'), gone],
    ],
  ],
  tenant: [
    // Everything it ordered is there, and then something is not.
    [
      said('tenant.desired', { spec: tenantSpec() }),
      said('group.status', { status: groupStatus('web') }),
      said('frontend.status', { status: frontendStatus('web') }),
      said('group.status', { status: groupStatus('web', { converged: false }) }),
    ],
  ],
};
