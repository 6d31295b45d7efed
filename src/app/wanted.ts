/**
 * The first start of a thread: the tree says when its turn is, the node when it is ready for it (the store
 * serves before anybody knows what the others are to be told). Whichever comes last lets it go.
 */
import type { Result } from '../../machines/model/result.js';

/** A thread that is to start: held until the node is ready for it, and how its first start went. */
export interface Wanted {
  readonly promise: Promise<void>;
  readonly answer: Promise<Result<void, string>>;
  open(): void;
  settle(outcome: Result<void, string>): void;
}

export function createWanted(): Wanted {
  let open: () => void = () => undefined;
  let settle: (outcome: Result<void, string>) => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  const answer = new Promise<Result<void, string>>((resolve) => {
    settle = resolve;
  });
  return { promise, answer, open: () => open(), settle: (outcome) => settle(outcome) };
}
