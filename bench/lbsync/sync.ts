/** An empty simulator is filled, then audited at rest: times, our CPU and the simulator's, and ops. */
import { performance } from 'node:perf_hooks';
import { sizeIn } from '../diff/measure.js';
import { desiredVip, NONE_CHANGED } from '../diff/site.js';
import { median } from '../rows.js';
import { type Outcome, type Params, param } from '../runtime/probe.js';
import { type Rig, withRig } from './rig.js';

export const lbsyncProbes = { 'lbsync-sync': syncAndAudit };

async function syncAndAudit(params: Params): Promise<Outcome> {
  const size = sizeIn(params);
  let outcome: Outcome = {};
  await withRig(async (rig) => {
    for (let vip = 0; vip < size.vips; vip += 1) {
      const desired = desiredVip(size, vip, NONE_CHANGED);
      const attributes = { ...desired.attributes, tableLength: 1024 };
      rig.companion.want({ ...desired, attributes }, rig.scope);
    }
    await rig.connect();
    const sync = await measured(rig, async () => {
      await rig.read();
      await rig.apply();
    });
    const syncOps = rig.ops();
    // Every VIP: added and flushed, each server added and raised.
    if (syncOps !== size.vips * (2 + 2 * size.servers)) throw new Error(`${syncOps} ops to build`);
    await audit(rig);
    const audits = [];
    for (let round = 0; round < param(params, 'audits'); round += 1) {
      audits.push(await measured(rig, () => audit(rig)));
    }
    outcome = {
      syncMs: sync.ms,
      syncOurMs: sync.ourMs,
      syncSimulatorMs: sync.simulatorMs,
      auditMs: median(audits.map(({ ms }) => ms)),
      auditOurMs: mean(audits.map(({ ourMs }) => ourMs)),
      auditSimulatorMs: mean(audits.map(({ simulatorMs }) => simulatorMs)),
      auditOps: rig.ops() - syncOps,
    };
  });
  return outcome;
}

async function audit(rig: Rig): Promise<void> {
  await rig.read();
  await rig.apply();
}

async function measured(rig: Rig, run: () => Promise<void>) {
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  const simulatorBefore = await rig.simulatorCpuMs();
  await run();
  const { user, system } = process.cpuUsage(before);
  const ms = performance.now() - startedAt;
  const simulatorMs = (await rig.simulatorCpuMs()) - simulatorBefore;
  return { ms, ourMs: (user + system) / 1000, simulatorMs };
}

/** The simulator's time is told in steps of 10 ms. */
function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
