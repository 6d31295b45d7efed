/**
 * Lbsync without a host: its companion, driven as its machine drives it, over the real client and a
 * real socket, against a simulator in a process of its own. The ledger is in memory.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLbsync, type Lbsync } from '../../actors/lbsync-companion.js';
import { addressOf } from '../../machines/model/ids.js';
import { vipKey } from '../../machines/model/lb.js';
import type { LbsyncSettings } from '../../machines/model/messages.js';
import { ok } from '../../machines/model/result.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { openVpp } from '../../src/adapters/vpp/client.js';
import type { Dataplane } from '../../src/ports/dataplane.js';
import type { LedgerEntry, Store } from '../../src/ports/store.js';
import type { Scope } from '../../src/runtime/actor-type.js';

const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const SETTINGS: LbsyncSettings = {
  syncIntervalMs: 30_000,
  startupMinDelayMs: 0,
  startupMaxDelayMs: 30_000,
  requestTimeoutMs: 5000,
  window: 32,
  ownership: 'ledger',
  generation: 1,
};

export interface Rig {
  readonly companion: Lbsync;
  readonly scope: Scope;
  /** Requests that changed something so far. */
  ops(): number;
  connect(): Promise<void>;
  /** Reads everything, as an audit does. */
  read(): Promise<void>;
  /** Passes until nothing is left to do. */
  apply(): Promise<void>;
  /** CPU time of the simulator so far; NaN where the system does not tell. */
  simulatorCpuMs(): Promise<number>;
}

export async function withRig(run: (rig: Rig) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-lbsync-'));
  const path = join(folder, 'api.sock');
  const simulator = spawn(process.execPath, [CLI, 'vpp-sim', '--socket', path]);
  try {
    await once(simulator.stdout, 'data');
    const dataplane = openVpp({ path, clock: systemClock() });
    await run(rigOver(dataplane, simulator.pid ?? 0));
    await dataplane.close();
  } finally {
    simulator.kill();
    await once(simulator, 'close');
    await rm(folder, { recursive: true });
  }
}

function rigOver(vpp: Dataplane, pid: number): Rig {
  let ops = 0;
  const dataplane: Dataplane = {
    connect: () => vpp.connect(),
    read: () => vpp.read(),
    ping: () => vpp.ping(),
    onDown: (listener) => vpp.onDown(listener),
    close: () => vpp.close(),
    apply: (op) => {
      ops += 1;
      return vpp.apply(op);
    },
  };
  const jobs: Promise<unknown>[] = [];
  const scope = scopeFor(jobs);
  const companion = createLbsync({ dataplane, store: ledgerInMemory() }, scope);
  companion.configure(SETTINGS);
  const work = { session: 1, marks: 0 };
  const publish = async (): Promise<void> => {
    companion.publish(scope);
    await Promise.all(jobs.splice(0));
  };
  const must = (type: string, wanted: string): void => {
    if (type !== wanted) throw new Error(`${type} instead of ${wanted}`);
  };
  return {
    companion,
    scope,
    ops: () => ops,
    connect: async () => must((await companion.connect(work)).type, 'lb.connected'),
    read: async () => {
      must((await companion.read(work, scope)).type, 'lb.read');
      await publish();
    },
    apply: async () => {
      do {
        const answer = await companion.apply(work);
        if (answer.type !== 'lb.passed' || answer.outcome.verdict !== 'done') {
          throw new Error(`the pass ended in ${JSON.stringify(answer)}`);
        }
        await publish();
      } while (companion.state.dirty.size > 0);
    },
    simulatorCpuMs: () => cpuMs(pid),
  };
}

/** What frontends are told goes nowhere. */
function scopeFor(jobs: Promise<unknown>[]): Scope {
  const nothing = (): void => undefined;
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const scope = {
    self: addressOf('lbsync', 'main'),
    cause: 'bench',
    clock: systemClock(),
    log,
    tell: nothing,
    reply: nothing,
    watch: nothing,
    unwatch: nothing,
    run: (work: () => Promise<unknown>) => void jobs.push(work()),
  };
  return scope as unknown as Scope;
}

function ledgerInMemory(): Store {
  const entries = new Map<string, LedgerEntry>();
  const ledger = {
    ledger: async () => ok([...entries.values()]),
    ledgerPut: async (entry: LedgerEntry) => {
      entries.set(vipKey(entry.vip), entry);
      return ok(undefined);
    },
    ledgerRemove: async (key: string) => {
      entries.delete(key);
      return ok(undefined);
    },
  };
  return ledger as unknown as Store;
}

/** Of Linux: user and system time are fields 14 and 15, in hundredths of a second. */
async function cpuMs(pid: number): Promise<number> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return Number.NaN;
  }
}
