/**
 * What operators see of the dataplane: `status.dataplane`, each VIP as VPP has acknowledged it, and
 * a condition for everything that is not as wanted.
 */
import type { LbsyncMemory } from '../machines/lbsync.js';
import type { JsonObject } from '../machines/model/json.js';
import type { VipKey } from '../machines/model/lb.js';
import type { PackedActual } from '../machines/model/lb-packed.js';
import type { OverrideEntry } from '../machines/model/overrides.js';
import { tableDigest } from '../src/lb/maglev.js';
import { unpackActual, unpackDesired } from '../src/lb/packed/vips.js';
import { waitsForServer } from './lbsync-adopt.js';
import { freezeOf, isAnyFrozen, waitingOps } from './lbsync-freeze.js';
import { rulesOf } from './lbsync-plan.js';
import { problemOf } from './lbsync-reports.js';
import { handsOffMs, type LbsyncState } from './lbsync-state.js';
import { ownerOf, type Want } from './lbsync-wants.js';

/** VIPs of others that are listed by name. */
const FOREIGN_MAX = 100;

export function viewOf(memory: LbsyncMemory, state: LbsyncState): JsonObject {
  const detached = state.ports.dataplane === undefined;
  const connected = detached || (state.mirror !== undefined && memory.problem === null);
  const problem = memory.problem ?? state.confProblem;
  const waiting = waitingOps(state, rulesOf(state));
  const troubles = connected ? troublesOf(state) : [unreachableCondition(memory, state)];
  return {
    driver: state.ports.driver ?? (detached ? 'none' : 'vpp'),
    connected,
    synced: detached || (connected && state.dirty.size === 0 && troubles.length === 0),
    frozen: isAnyFrozen(state),
    warmingUp: handsOffMs(state) > 0,
    dirty: state.dirty.size,
    ...(problem === undefined ? {} : { problem }),
    ...(memory.version === null ? {} : { version: memory.version }),
    vips: [...state.wants.wanted.values()]
      .sort(byFrontend)
      .map((want) => ({ ...vipView(state, want), ...frozenView(state, want, waiting) })),
    foreign: foreignKeys(state),
    ...incidentOf(state),
    conditions: [
      ...troubles,
      ...(connected ? foreignWrites(state) : []),
      ...freezes(state, waiting),
    ],
  };
}

type Waiting = ReturnType<typeof waitingOps>;

function frozenView(state: LbsyncState, { key }: Want, waiting: Waiting): JsonObject {
  if (freezeOf(state, key) === undefined) return {};
  return { frozen: true, waiting: waiting.get(key) ?? [] };
}

/** One for each order; it says who gave it and how much waits. */
function freezes(state: LbsyncState, waiting: Waiting): readonly JsonObject[] {
  return Object.values(state.overrides).map((entry) => {
    const { kind, owner, reason, sinceMs: since } = entry;
    if (kind === 'drain') return drainedCondition(state, entry);
    const frontend = kind.slice(kind.indexOf(':') + 1);
    const object = kind.includes(':') ? `frontend/${frontend}` : 'lbsync/main';
    const held = [...waiting.keys()].filter((key) => freezeOf(state, key) === entry).length;
    const message = `frozen by ${owner} (${reason}); VIPs with changes that wait: ${held}`;
    const next = "'switchyard dataplane status' shows them, 'dataplane thaw' writes them";
    return condition(state, { type: 'dataplane-frozen', object, message, next, since });
  });
}

function drainedCondition(state: LbsyncState, entry: OverrideEntry): JsonObject {
  const { owner, reason, sinceMs: since } = entry;
  return condition(state, {
    type: 'node-drained',
    object: 'lbsync/main',
    message: `no VIP of this node is announced: drained by ${owner} (${reason})`,
    next: "'switchyard node undrain' announces them again",
    since,
  });
}

function byFrontend(a: Want, b: Want): number {
  return a.desired.frontend < b.desired.frontend ? -1 : 1;
}

function vipView(state: LbsyncState, want: Want): JsonObject {
  const { key, desired } = want;
  const detached = state.ports.dataplane === undefined;
  const actual = ownerOf(state.wants, key) === want ? state.mirror?.get(key) : undefined;
  const attributes = { ...desired.attributes };
  const present = actual === undefined ? [] : unpackActual(actual).servers;
  const servers = detached ? unpackDesired(desired).servers : present;
  const tableLength = actual?.tableLength ?? desired.attributes.tableLength;
  const problem = problemOf(state, key);
  return {
    frontend: desired.frontend,
    vip: key,
    attributes,
    exists: detached || actual !== undefined,
    dirty: state.dirty.has(key),
    tableDigest: actual === undefined ? tableDigest(servers, tableLength) : digestOf(actual),
    servers: servers.map((as) => ({ ...as })),
    ...(problem === undefined ? {} : { problem }),
  };
}

const digests = new WeakMap<PackedActual, string>();

/** Filling a table takes a while: once per acknowledged state of a VIP is enough. */
function digestOf(vip: PackedActual): string {
  const known = digests.get(vip);
  if (known !== undefined) return known;
  const { servers, tableLength } = unpackActual(vip);
  const digest = tableLength === undefined ? '' : tableDigest(servers, tableLength);
  digests.set(vip, digest);
  return digest;
}

function foreignKeys({ mirror, wants, ledger }: LbsyncState): readonly VipKey[] {
  const foreign = [...(mirror?.values() ?? [])]
    .map(({ key }) => key)
    .filter((key) => !wants.claims.has(key) && !ledger.told.has(key));
  return foreign.sort().slice(0, FOREIGN_MAX);
}

/** VPP lost its state and is being built again. */
function incidentOf({ rebuild }: LbsyncState): JsonObject {
  if (rebuild === undefined) return {};
  const [lostAt, detectedAt] = [rebuild.lostAt, rebuild.detectedAt].map((at) =>
    new Date(at).toISOString(),
  );
  const frontends = [...rebuild.frontends].sort();
  const id = `rebuild-${detectedAt}`;
  const base = { id, kind: 'dataplane-lost-state', lostAt, detectedAt, cause: 'lbsync/main' };
  return { incident: { ...base, ops: rebuild.ops, frontends } };
}

interface Condition {
  readonly type: string;
  readonly object: string;
  readonly message: string;
  readonly next: string;
  readonly since?: number;
}

function condition(state: LbsyncState, { since, ...rest }: Condition): JsonObject {
  const at = new Date(since ?? state.clock.now()).toISOString();
  return { ...rest, severity: 'warning', since: at, cause: 'lbsync/main' };
}

function unreachableCondition(memory: LbsyncMemory, state: LbsyncState): JsonObject {
  const severity = state.settings === undefined ? 'info' : 'critical';
  const base = condition(state, {
    type: 'dataplane-disconnected',
    object: 'lbsync/main',
    message: memory.problem ?? 'not connected yet',
    next: 'reconnecting; VPP forwards as it was last told',
    ...(state.lostAt === undefined ? {} : { since: state.lostAt }),
  });
  return { ...base, severity };
}

function namer(state: LbsyncState): (key: VipKey) => string {
  return (key) => {
    const frontend = ownerOf(state.wants, key)?.desired.frontend;
    return frontend === undefined ? key : `frontend/${frontend}`;
  };
}

/** Put right already, when it is told. */
function foreignWrites(state: LbsyncState): readonly JsonObject[] {
  const named = namer(state);
  return [...state.drifts].map(([key, { what, since }]) =>
    condition(state, {
      type: 'foreign-writer',
      object: named(key),
      message: `${key}: somebody else wrote to VPP: ${what}`,
      next: 'put right; find out who else configures this VPP',
      since,
    }),
  );
}

function readOnlyCondition(state: LbsyncState): readonly JsonObject[] {
  if (state.readOnly === undefined) return [];
  const base = condition(state, {
    type: 'dataplane-read-only',
    object: 'lbsync/main',
    message: state.readOnly,
    next: 'run a VPP whose lb plugin has this message; until then it forwards as it is',
  });
  return [{ ...base, severity: 'critical' }];
}

/** What VPP does not have as it is wanted, and why. */
function troublesOf(state: LbsyncState): readonly JsonObject[] {
  const named = namer(state);
  return [
    ...readOnlyCondition(state),
    ...[...state.failures].map(([key, { problem, since }]) =>
      condition(state, {
        type: 'dataplane-refused',
        object: named(key),
        message: `${key}: ${problem}`,
        next: 'retrying with back-off',
        since,
      }),
    ),
    ...[...state.findings.values()].map(({ code, key, message }) =>
      condition(state, {
        type: `dataplane-${code}`,
        object: named(key),
        message,
        next: code === 'needs-recreation' ? 'reload --disruptive' : 'remove the other VIP',
      }),
    ),
    ...[...state.strangers.keys()]
      .filter((key) => waitsForServer(state, key))
      .map((key) =>
        condition(state, {
          type: 'dataplane-adoption',
          object: named(key),
          message: `${key} serves in VPP, was never ours, and nobody of its frontend could serve instead`,
          next: 'left as it is until a member is up',
        }),
      ),
    ...[...state.mismatched].map((key) =>
      condition(state, {
        type: 'dataplane-mismatch',
        object: named(key),
        message: `${key}: bucket counts in VPP are not what its weights lead to`,
        next: 'compared again at the next audit',
      }),
    ),
    ...ledgerConditions(state),
  ];
}

function ledgerConditions(state: LbsyncState): readonly JsonObject[] {
  const { staleHeld, ledger } = state;
  const held = condition(state, {
    type: 'dataplane-stale-held',
    object: 'lbsync/main',
    message: `${staleHeld.length} VIPs of ours are wanted by nobody: too many to remove unasked`,
    next: 'bring their frontends back, or withdraw them',
  });
  const problem = condition(state, {
    type: 'dataplane-ledger',
    object: 'lbsync/main',
    message: `no VIP can be created or removed: ${ledger.problem ?? ''}`,
    next: 'trying the store again',
  });
  return [
    ...(staleHeld.length > 0 ? [held] : []),
    ...(ledger.problem === undefined ? [] : [problem]),
  ];
}
