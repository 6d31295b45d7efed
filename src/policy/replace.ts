/**
 * Replacing members: which one gets a successor, and when its predecessor may go.
 *
 * Input:  the books of a group. Output: at most one step, the most urgent.
 *
 *   create-first   successor requested ─► in service ─► predecessor drained
 *   delete-first   predecessor drained ─► successor requested (it is simply missing, see scale.ts)
 *
 * Rules: [GR-4] a predecessor in service is drained only after its successor is in service
 * (create-first), or while every other member is in service (delete-first); [GR-5] a successor that
 * is no longer needed leaves before it serves; [GR-6] no replacement exceeds `maxSize`: a member
 * out of service then makes room itself, one in service waits.
 */
import type { InstanceId } from '../../machines/model/ids.js';
import { type Books, countedOf, type Member, stayingOf } from './members.js';

export type ReplaceStep =
  | { readonly kind: 'drain'; readonly rule: 'GR-4' | 'GR-5' | 'GR-6'; readonly id: InstanceId }
  | { readonly kind: 'create'; readonly rule: 'GR-4'; readonly replaces: InstanceId };

/** Successors first: finishing a replacement comes before starting another. */
export function nextReplaceStep(books: Books): ReplaceStep | undefined {
  return finishReplacement(books) ?? startReplacement(books);
}

/** Somebody should be replaced and there is no room to do it without a gap. */
export function replacementStuck(books: Books): Member | undefined {
  if (books.replace === 'delete-first' || hasRoom(books)) return undefined;
  return unreplaced(books).find((member) => member.inService);
}

function finishReplacement(books: Books): ReplaceStep | undefined {
  const staying = stayingOf(books.members);
  const byId = new Map(staying.map((member) => [member.id, member]));
  for (const successor of staying) {
    const predecessor = successor.replaces && byId.get(successor.replaces);
    if (!predecessor) continue;
    if (successor.inService) return { kind: 'drain', rule: 'GR-4', id: predecessor.id };
    if (!predecessor.replaceWanted) return { kind: 'drain', rule: 'GR-5', id: successor.id };
  }
  return undefined;
}

function startReplacement(books: Books): ReplaceStep | undefined {
  const waiting = unreplaced(books);
  if (books.replace === 'delete-first') {
    const next = waiting.find((member) => mayLeaveFirst(books, member));
    return next && { kind: 'drain', rule: 'GR-4', id: next.id };
  }
  if (hasRoom(books)) {
    const [next] = waiting;
    return next && { kind: 'create', rule: 'GR-4', replaces: next.id };
  }
  const useless = waiting.find((member) => !member.inService);
  return useless && { kind: 'drain', rule: 'GR-6', id: useless.id };
}

/** Members that want to be replaced and have no successor on its way, those out of service first. */
function unreplaced(books: Books): readonly Member[] {
  const staying = stayingOf(books.members);
  const replaced = new Set(staying.map((member) => member.replaces));
  const waiting = staying.filter((member) => member.replaceWanted && !replaced.has(member.id));
  return [...waiting.filter((one) => !one.inService), ...waiting.filter((one) => one.inService)];
}

function hasRoom(books: Books): boolean {
  return stayingOf(books.members).length < books.maxSize;
}

/** Out of service it costs nothing; in service, nobody else may be missing and creates must work. */
function mayLeaveFirst(books: Books, member: Member): boolean {
  if (!member.inService) return true;
  if (books.failures > 0) return false;
  const others = countedOf(books.members).filter((other) => other.id !== member.id);
  return others.length >= books.wanted - 1 && others.every((other) => other.inService);
}
