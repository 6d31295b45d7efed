/**
 * Defects: what must never happen. A `Defect` crashes the actor it is thrown in and its supervisor
 * decides; nobody catches one to carry on.
 */

export class Defect extends Error {
  override readonly name = 'Defect';
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Defect(message);
}

/** Closes a union: a new member stops compiling at every `unreachable`. */
export function unreachable(value: never): never {
  throw new Defect(`unreachable: ${JSON.stringify(value)}`);
}
