/**
 * Lbsync under everything at once: wishes that change, requests that are refused or lost (done or
 * not), a VPP that restarts, hands that meddle, a disk that fails, an actor that starts over. When the
 * faults stop it must converge, and on the way no serving VIP may have gone dark.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DesiredVip, vipKey } from '../../machines/model/lb.js';
import type { Message } from '../../machines/model/messages.js';
import { compatible, desiredVips } from '../lb/worlds.js';
import { dumbChanges } from '../support/dumb-diff.js';
import { seedOfRun } from '../support/seed.js';
import { keyOf, type StrictLb } from '../support/strict-lb.js';
import { type LbsyncLab, SETTINGS, startLbsync } from './lbsync-lab.js';
import { type Truth, watchForTruth } from './lbsync-truth.js';

type Turn =
  | { readonly do: 'want'; readonly wishes: readonly DesiredVip[] }
  | { readonly do: 'fault'; readonly in: number; readonly kind: 'refused' | 'lost' | 'done' }
  | { readonly do: 'restartVpp' | 'drop' | 'disk' | 'startOver' }
  | { readonly do: 'meddle'; readonly which: number; readonly weight: number }
  | { readonly do: 'pass'; readonly ms: number };

const turn: fc.Arbitrary<Turn> = fc.oneof(
  { weight: 5, arbitrary: desiredVips(4).map((wishes): Turn => ({ do: 'want', wishes })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat(12), fc.constantFrom('refused' as const, 'lost' as const, 'done' as const))
      .map(([count, kind]): Turn => ({ do: 'fault', in: count, kind })),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('restartVpp' as const, 'drop' as const, 'disk' as const, 'startOver' as const)
      .map((name): Turn => ({ do: name })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(5), fc.nat(3))
      .map(([which, weight]): Turn => ({ do: 'meddle', which, weight })),
  },
  { weight: 3, arbitrary: fc.nat(8000).map((ms): Turn => ({ do: 'pass', ms })) },
);

/** Watches the judge: after each op of ours on a VIP that serves and is wanted to serve, it serves. */
function watchForDarkness(lb: StrictLb, wanted: () => readonly DesiredVip[]): void {
  const { apply } = lb;
  lb.apply = (op) => {
    const key = 'vip' in op ? keyOf(op.vip) : '';
    const before = totalOf(lb, key);
    const failure = apply(op);
    const wish = wanted().find(({ vip }) => keyOf(vip) === key);
    const shallServe = wish?.servers.some((as) => as.weight > 0) === true;
    // A VIP on its way to be re-created is taken down by order.
    const stays = wish !== undefined && wish.mayRecreate !== true;
    if (shallServe && stays && before > 0) assert.ok(totalOf(lb, key) > 0, `${key} went dark`);
    return failure;
  };
}

function totalOf(lb: StrictLb, key: string): number {
  return [...(lb.vips.get(key)?.servers.values() ?? [])].reduce((sum, weight) => sum + weight, 0);
}

interface Run {
  lab: LbsyncLab;
  wishes: readonly DesiredVip[];
  /** Frontends that had a wish once: those without one say so until they hear that it is gone. */
  readonly leaving: Set<DesiredVip['frontend']>;
  readonly truth: Truth;
  revision: number;
}

async function take(run: Run, step: Turn): Promise<void> {
  const { lab } = run;
  const { dataplane, lb, ledger } = lab;
  switch (step.do) {
    case 'want':
      return say(run, compatible(step.wishes));
    case 'fault': {
      const failure = { code: 'LB_NO_SUCH_ENTRY', message: 'a lie' } as const;
      const fault =
        step.kind === 'refused'
          ? ({ kind: 'refused', failure } as const)
          : ({ kind: 'lost', done: step.kind === 'done' } as const);
      dataplane.faults.set(dataplane.sent.length + step.in, fault);
      return;
    }
    case 'restartVpp':
      lb.restart();
      dataplane.pid += 1;
      return dataplane.drop('VPP went away');
    case 'drop':
      return dataplane.drop('connection reset');
    case 'disk':
      ledger.available = !ledger.available;
      return;
    case 'startOver': {
      lab.companion.stop();
      await lab.settle();
      run.lab = startLbsync(SETTINGS, { lb, ledger, dataplane });
      return say(run, run.wishes);
    }
    case 'meddle': {
      const vip = [...lb.vips.values()][step.which];
      const [address] = vip?.servers.keys() ?? [];
      if (vip !== undefined && address !== undefined) vip.servers.set(address, step.weight);
      return;
    }
    case 'pass':
      return lab.pass(step.ms);
  }
}

/** Frontends without a wish any more withdraw; the others send theirs. */
function say(run: Run, wishes: readonly DesiredVip[]): void {
  const { lab, truth } = run;
  run.revision += 1;
  const { revision } = run;
  const names = new Set(wishes.map(({ frontend }) => frontend));
  for (const { frontend } of run.wishes) run.leaving.add(frontend);
  for (const frontend of run.leaving) {
    if (names.has(frontend)) continue;
    truth.asked(frontend, revision);
    lab.tell({ type: 'vip.withdrawn', frontend, revision } as Message);
  }
  run.wishes = wishes.map((desired) => ({ ...desired, revision }));
  for (const desired of run.wishes) {
    truth.asked(desired.frontend, revision, desired);
    lab.want(desired);
  }
}

function begin(): Run {
  const lab = startLbsync();
  const truth = watchForTruth(lab.lb, () => run.lab);
  const run: Run = { lab, wishes: [], leaving: new Set(), truth, revision: 0 };
  watchForDarkness(lab.lb, () => run.wishes);
  return run;
}

test('[LB-58] [LB-60] lbsync: when the faults stop it converges; on the way nothing went dark, no report lied', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 14 }), async (turns) => {
      const run = begin();
      for (const step of turns) {
        await take(run, step);
        await run.lab.settle();
        run.truth.judge(run.lab);
      }
      const { lab, wishes } = run;
      lab.dataplane.faults.clear();
      lab.ledger.available = true;
      // Attributes that may not change are not what this is about.
      say(
        run,
        wishes.map((wish) => ({ ...wish, mayRecreate: true })),
      );
      await lab.pass(120_000);
      const { vips } = lab.lb.state();
      assert.deepEqual(dumbChanges(vips, wishes), []);
      assert.deepEqual([...lab.ledger.entries.keys()].sort(), wishes.map(keyIn).sort());
      assert.equal(lab.view()['synced'], true, JSON.stringify(lab.view()['conditions']));
      for (const { frontend } of wishes) assert.equal(lab.reports(frontend).at(-1)?.synced, true);

      const before = lab.dataplane.sent.length;
      await lab.pass(120_000);
      assert.equal(lab.dataplane.sent.length, before, 'writes although nothing changed');
    }),
    { seed: seedOfRun(), numRuns: 150 },
  );
});

function keyIn({ vip }: DesiredVip): string {
  return vipKey(vip);
}
