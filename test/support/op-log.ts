/**
 * Judges what a client did to VPP, from the simulator's op log alone: the log is replayed, and every
 * write is held against what VPP had at that moment.
 *
 * Input: log lines, oldest first. Output: what should not be in them.
 *
 *   redundant   a write that set what was already so, or flushed what was just flushed
 *   refused     a write VPP answered with an error
 *   reduced     a server of weight > 0 that was taken down or removed
 *   emptied     a VIP that had weight and then had none
 */
import { existsSync, readFileSync } from 'node:fs';
import type { LogLine, OpLine, ViolationLine } from '../../src/vppsim/op-log.js';

export interface Judgement {
  readonly writes: number;
  readonly violations: readonly ViolationLine[];
  readonly redundant: readonly OpLine[];
  readonly refused: readonly OpLine[];
  readonly reduced: readonly OpLine[];
  readonly emptied: readonly OpLine[];
  /** What VPP has after the last line: VIP → server → weight. */
  readonly vips: Vips;
}

type Servers = Map<string, number>;
type Vips = ReadonlyMap<string, ReadonlyMap<string, number>>;

interface World {
  readonly vips: Map<string, Servers>;
  /** VIPs nothing happened to since their last flush. */
  readonly flushed: Set<string>;
  conf: string | undefined;
}

/** Lines of the log at `path`, none when there is no log yet. */
export function readOpLog(path: string): readonly LogLine[] {
  if (!existsSync(path)) return [];
  const lines: readonly string[] = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LogLine);
}

/** `before` is only replayed: what came of it is where the judged lines begin. */
export function judge(lines: readonly LogLine[], before: readonly LogLine[] = []): Judgement {
  const world: World = { vips: new Map(), flushed: new Set(), conf: undefined };
  for (const line of before) replay(world, line);
  const ops: OpLine[] = [];
  const redundant: OpLine[] = [];
  const reduced: OpLine[] = [];
  const emptied: OpLine[] = [];
  for (const line of lines) {
    if (isOp(line)) {
      ops.push(line);
      if (line.retval === 0 && isRedundant(world, line)) redundant.push(line);
      if (line.retval === 0 && lowersWeight(world, line)) reduced.push(line);
    }
    const weight = weightOf(world, line);
    replay(world, line);
    if (isOp(line) && line.op !== 'vip.del' && weight > 0 && weightOf(world, line) === 0) {
      emptied.push(line);
    }
  }
  const violations = lines.filter((line): line is ViolationLine & LogLine => 'violation' in line);
  const refused = ops.filter(({ retval }) => retval !== 0);
  const { vips } = world;
  return { writes: ops.length, violations, redundant, refused, reduced, emptied, vips };
}

export function isOp(line: LogLine): line is OpLine {
  return 'op' in line && 'retval' in line;
}

function isRedundant(world: World, line: OpLine): boolean {
  const { op, vip = '', as = '' } = line;
  const servers = world.vips.get(vip);
  switch (op) {
    case 'conf.set':
      return world.conf === confOf(line);
    case 'vip.add':
      return servers !== undefined;
    case 'vip.del':
      return servers === undefined;
    case 'vip.flush':
      return world.flushed.has(vip);
    case 'as.add':
      return servers?.has(as) === true;
    case 'as.del':
      return servers?.has(as) !== true;
    case 'as.weight':
      return servers?.get(as) === line.weight && (line.flush !== true || world.flushed.has(vip));
    default:
      return false;
  }
}

function lowersWeight(world: World, { op, vip = '', as = '', weight = 0 }: OpLine): boolean {
  const had = world.vips.get(vip)?.get(as) ?? 0;
  if (op === 'as.del' || op === 'vip.del') return had > 0;
  return op === 'as.weight' && weight < had;
}

function replay(world: World, line: LogLine): void {
  if (!isOp(line)) return forgetOnRestart(world, line);
  if (line.retval !== 0) return;
  const { op, vip = '', as = '', weight = 0 } = line;
  if (op === 'conf.set') world.conf = confOf(line);
  if (op === 'vip.add') world.vips.set(vip, new Map());
  if (op === 'vip.del') world.vips.delete(vip);
  if (op === 'as.add' || op === 'as.weight') world.vips.get(vip)?.set(as, weight);
  if (op === 'as.del') world.vips.get(vip)?.delete(as);
  if (op === 'vip.flush') world.flushed.add(vip);
  else world.flushed.delete(vip);
}

/** A VPP that starts, or starts again, has nothing. */
function forgetOnRestart(world: World, line: LogLine): void {
  const event = 'event' in line ? line.event : undefined;
  if (event !== 'started' && event !== 'restarted-empty') return;
  world.vips.clear();
  world.flushed.clear();
  world.conf = undefined;
}

function confOf({ seq: _seq, at: _at, retval: _retval, ...conf }: OpLine): string {
  return JSON.stringify(conf);
}

function weightOf(world: World, line: LogLine): number {
  if (!isOp(line)) return 0;
  const weights = world.vips.get(line.vip ?? '')?.values() ?? [];
  return [...weights].reduce((sum, weight) => sum + weight, 0);
}
