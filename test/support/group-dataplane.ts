/**
 * VPP and lbsync as the frontends of a group see them: one op after the other, each on its way for a
 * while; reports late, repeated, lost and in any order; an lbsync that may start over.
 *
 * Every report is true when it is made: between two ops, naming the wish that the next op follows.
 */
import { addressOf, type FrontendName } from '../../machines/model/ids.js';
import type { DesiredVip } from '../../machines/model/lb.js';
import type { FrontendMessage, LbsyncMessage, VipReport } from '../../machines/model/messages.js';
import type { GroupWorld } from './group-types.js';

const OP_MS = 300;
const REPORT_MS = 20_000;
const REPEATED = 0.3;
const LOST = 0.1;

export interface GroupDataplane {
  receive(message: LbsyncMessage): void;
  /** VPP has a server at this address, whatever its weight. */
  has(frontend: FrontendName, address: string): boolean;
  startOver(): void;
}

type Word = Extract<LbsyncMessage, { readonly frontend: FrontendName; readonly revision: number }>;

/** What lbsync knows and VPP has of one frontend. */
interface Vip {
  readonly servers: Map<string, number>;
  wish: DesiredVip | undefined;
  withdrawn: Word | undefined;
  busy: boolean;
}

/** `frozen`: VPP cannot be reached for these. */
export function createGroupDataplane(
  worldOf: () => GroupWorld,
  frozen: ReadonlySet<FrontendName>,
): GroupDataplane {
  const vips = new Map<FrontendName, Vip>();

  function vipOf(frontend: FrontendName): Vip {
    const known = vips.get(frontend) ?? newVip();
    vips.set(frontend, known);
    return known;
  }

  const after = (longestMs: number, run: () => void): void =>
    worldOf().later(Math.floor(worldOf().chance() * longestMs), run);

  function tell(frontend: FrontendName, message: FrontendMessage): void {
    if (worldOf().chance() < LOST) return;
    const times = worldOf().chance() < REPEATED ? 2 : 1;
    for (let count = 0; count < times; count += 1) {
      // Most are quick; the others meet a frontend that has long moved on.
      const longestMs = worldOf().chance() < 0.5 ? 100 : REPORT_MS;
      after(longestMs, () => worldOf().answer(addressOf('frontend', frontend), message));
    }
  }

  function report(frontend: FrontendName, { wish, servers }: Vip): void {
    const found = [...servers].map(([address, weight]) => ({ address, weight, buckets: 1 }));
    const conf = { encap: 'gre4', tableLength: 1024 };
    const base = { frontend, exists: servers.size > 0, servers: found, conf };
    const synced = wish !== undefined && nextOp(servers, wish) === undefined;
    const told: VipReport = { ...base, revision: wish?.revision ?? 0, synced };
    tell(frontend, { type: 'vip.applied', report: { ...told, exists: told.exists || synced } });
  }

  /** The next op, or an answer when there is none. */
  function work(frontend: FrontendName): void {
    const vip = vipOf(frontend);
    if (vip.busy || frozen.has(frontend)) return;
    const op = nextOp(vip.servers, vip.wish, vip.withdrawn !== undefined);
    if (op === undefined) return answer(frontend, vip);
    vip.busy = true;
    after(OP_MS, () => {
      vip.busy = false;
      op();
      report(frontend, vip);
      work(frontend);
    });
  }

  function answer(frontend: FrontendName, vip: Vip): void {
    if (vip.withdrawn === undefined) return report(frontend, vip);
    const { revision } = vip.withdrawn;
    vip.withdrawn = undefined;
    tell(frontend, { type: 'vip.gone', revision });
  }

  function hear(message: LbsyncMessage): FrontendName | undefined {
    if (message.type === 'vip.desired') {
      const vip = vipOf(message.desired.frontend);
      if (message.desired.revision < (vip.withdrawn?.revision ?? 0)) return undefined;
      vip.wish = message.desired;
      vip.withdrawn = undefined;
      return message.desired.frontend;
    }
    if (message.type === 'vip.withdrawn') {
      const vip = vipOf(message.frontend);
      vip.withdrawn = message;
      vip.wish = undefined;
      return message.frontend;
    }
    return message.type === 'vip.awaited' ? message.frontend : undefined;
  }

  return {
    receive: (message) => {
      const frontend = hear(message);
      if (frontend !== undefined) work(frontend);
    },
    has: (frontend, address) => vips.get(frontend)?.servers.has(address) === true,
    startOver: () => {
      for (const [frontend, vip] of vips) {
        vip.wish = undefined;
        vip.withdrawn = undefined;
        tell(frontend, { type: 'lbsync.hello' });
      }
    },
  };
}

function newVip(): Vip {
  return { servers: new Map(), wish: undefined, withdrawn: undefined, busy: false };
}

/** Adds and raises first, then what goes down, then what goes. */
function nextOp(
  servers: Map<string, number>,
  wish: DesiredVip | undefined,
  withdrawn = false,
): (() => void) | undefined {
  if (wish === undefined && !withdrawn) return undefined;
  const wanted = new Map(wish?.servers.map(({ address, weight }) => [address, weight]));
  const entries = [...wanted];
  const rise = entries.find(([address, weight]) => weight > (servers.get(address) ?? -1));
  const fall = [...servers].find(([address, weight]) => weight > (wanted.get(address) ?? 0));
  const gone = [...servers.keys()].find((address) => !wanted.has(address));
  if (rise !== undefined) return () => void servers.set(...rise);
  if (fall !== undefined) return () => void servers.set(fall[0], wanted.get(fall[0]) ?? 0);
  return gone === undefined ? undefined : () => void servers.delete(gone);
}
