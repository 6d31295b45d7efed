/**
 * Which process is which, as Linux's /proc tells it: a pid alone names nobody, because pids come
 * back; a pid with its start time (and the boot they belong to) names one process for ever.
 *
 * Output: facts, read at once and synchronously. A process that is gone, or a zombie, is `undefined`:
 * nothing is left of it that could serve or be signalled. Not being able to look (no descriptors
 * left) throws: ignorance is never death. Field numbers are those of proc(5).
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot at which the process started. */
  readonly startTicks: number;
  /** The kernel's id of this boot: ticks of another boot compare with nothing. */
  readonly bootId: string;
}

interface ProcessFacts {
  readonly pid: number;
  readonly state: string;
  readonly group: number;
  readonly session: number;
  readonly exiting: boolean;
  readonly startTicks: number;
}

/** Bit of the flags field set from the moment a process begins to exit (PF_EXITING). */
const EXITING_FLAG = 0x4;

let bootIdRead: string | undefined;

export function bootId(): string {
  bootIdRead ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return bootIdRead;
}

/** When `pid` started, be it alive or a zombie. */
export function startTicksOf(pid: number): number | undefined {
  return readFacts(pid)?.startTicks;
}

/** Who `pid` is now; `undefined` when it is gone, going or a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const facts = readFacts(pid);
  if (facts === undefined || !isAlive(facts)) return undefined;
  return { pid, startTicks: facts.startTicks, bootId: bootId() };
}

/** Whether that very process, and not a later one with its pid, is alive. */
export function isRunning(identity: ProcessIdentity): boolean {
  return sameProcess(identity, identify(identity.pid));
}

/**
 * Whether anything of the process's group lives, its leader or what the leader left behind. As long
 * as one member lives the kernel gives the pid to nobody else: a leader with another start time
 * proves that the group is gone.
 */
export function isGroupRunning(leader: ProcessIdentity): boolean {
  if (leader.bootId !== bootId()) return false;
  const facts = readFacts(leader.pid);
  if (facts !== undefined && facts.startTicks !== leader.startTicks) return false;
  if (facts !== undefined && isAlive(facts)) return true;
  if (!groupExists(leader.pid)) return false;
  return allFacts().some((member) => member.group === leader.pid && isAlive(member));
}

/** Signals the group of `leader` if it still is that group. Being too late is fine. */
export function signalGroup(leader: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isGroupRunning(leader)) return;
  try {
    process.kill(-leader.pid, signal);
  } catch (error) {
    // Gone between the look and the signal: what the signal was for has happened.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * The live session leaders that were started with variable `name`, by its value. Processes of other
 * users are passed over: they are not ours.
 */
export function sessionsByEnvironment(name: string): ReadonlyMap<string, ProcessIdentity> {
  const leaders = allFacts().filter((facts) => facts.pid === facts.session && isAlive(facts));
  return new Map(
    leaders.flatMap(({ pid, startTicks }) => {
      const entries = readUnlessGone(`/proc/${pid}/environ`)?.split('\0') ?? [];
      const entry = entries.find((text) => text.startsWith(`${name}=`));
      if (entry === undefined) return [];
      return [[entry.slice(name.length + 1), { pid, startTicks, bootId: bootId() }] as const];
    }),
  );
}

/** One system call that spares the walk over /proc; the group may still be all zombies. */
function groupExists(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function sameProcess(one: ProcessIdentity, other: ProcessIdentity | undefined): boolean {
  return other !== undefined && other.startTicks === one.startTicks && other.bootId === one.bootId;
}

function isAlive(facts: ProcessFacts): boolean {
  return !facts.exiting && facts.state !== 'Z' && facts.state !== 'X';
}

function allFacts(): readonly ProcessFacts[] {
  return readdirSync('/proc').flatMap((name) => {
    const facts = /^\d+$/.test(name) ? readFacts(Number(name)) : undefined;
    return facts === undefined ? [] : [facts];
  });
}

/** The second field, the program's name, may hold spaces and brackets: count from its last one. */
function readFacts(pid: number): ProcessFacts | undefined {
  const text = readUnlessGone(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): string => fields[number - 3] ?? '';
  return {
    pid,
    state: field(3),
    group: Number(field(5)),
    session: Number(field(6)),
    exiting: (Number(field(9)) & EXITING_FLAG) !== 0,
    startTicks: Number(field(22)),
  };
}

/** Only these say that there is nothing (left) to read; anything else is ignorance, not absence. */
const GONE: readonly (string | undefined)[] = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'];

function readUnlessGone(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}
