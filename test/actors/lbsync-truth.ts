/**
 * The judge of lbsync's reports: whatever VPP has and is told after a report follows from the wish it
 * names or from a later one. Watches every op, over every life of lbsync.
 */
import assert from 'node:assert/strict';
import type { FrontendName } from '../../machines/model/ids.js';
import { type DesiredVip, type LbOp, type VipKey, vipKey } from '../../machines/model/lb.js';
import type { FrontendMessage } from '../../machines/model/messages.js';
import { keyOf, type StrictLb } from '../support/strict-lb.js';
import type { LbsyncLab } from './lbsync-lab.js';

export interface Truth {
  /** A word of a frontend; without a wish: withdrawn. */
  asked(frontend: FrontendName, revision: number, desired?: DesiredVip): void;
  /** Judges what was told since the last look; `lab` may be of a new life. */
  judge(lab: LbsyncLab): void;
}

interface Word {
  readonly frontend: FrontendName;
  readonly revision: number;
  readonly desired: DesiredVip | undefined;
}

export function watchForTruth(lb: StrictLb, labOf: () => LbsyncLab | undefined): Truth {
  const words: Word[] = [];
  const floors = new Map<FrontendName, number>();
  const seen = new WeakMap<LbsyncLab['told'], number>();

  /** Somebody may still want this server, for all that the reports say. */
  const mayServe = (key: VipKey, server: string): boolean =>
    words.some(({ frontend, revision, desired }) => {
      if (desired === undefined || vipKey(desired.vip) !== key) return false;
      const wants = desired.servers.some(({ address }) => address === server);
      return wants && revision >= (floors.get(frontend) ?? 0);
    });

  const hear = (message: FrontendMessage, frontend: FrontendName): void => {
    const told = message.type === 'vip.applied' ? message.report : undefined;
    const revision = message.type === 'vip.gone' ? message.revision : (told?.revision ?? 0);
    if (revision === 0) return;
    floors.set(frontend, Math.max(floors.get(frontend) ?? 0, revision));
    const listed = new Set(told?.servers.map(({ address }) => address));
    for (const [key, { servers }] of lb.vips) {
      if (!words.some((word) => word.frontend === frontend && isAt(word, key))) continue;
      const hidden = [...servers.keys()].filter((one) => !listed.has(one) && !mayServe(key, one));
      assert.deepEqual(hidden, [], `${frontend} was told at ${revision} that these are gone`);
    }
  };

  const judge = (lab: LbsyncLab | undefined): void => {
    const told = lab?.told ?? [];
    for (const { to, message } of told.slice(seen.get(told) ?? 0)) {
      const [kind, ...name] = to.split('/');
      if (kind === 'frontend') hear(message as FrontendMessage, name.join('/') as FrontendName);
    }
    seen.set(told, told.length);
  };

  const { apply } = lb;
  lb.apply = (op: LbOp) => {
    judge(labOf());
    if (op.op === 'as.add') {
      const key = keyOf(op.vip);
      assert.ok(mayServe(key, op.as), `${op.as} is added to ${key}, and nobody may want it`);
    }
    return apply(op);
  };
  return {
    asked: (frontend, revision, desired) => void words.push({ frontend, revision, desired }),
    judge,
  };
}

function isAt({ desired }: Word, key: VipKey): boolean {
  return desired !== undefined && vipKey(desired.vip) === key;
}
