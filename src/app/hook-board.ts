/**
 * Who applies what of a reload inside the process: each part says so when it opens, under the name of
 * its hook. A part that never opened is not there to be reloaded.
 */
import type { ApplySettings } from '../ports/reload.js';

export interface HookBoard {
  register(name: string, apply: ApplySettings): void;
  find(name: string): ApplySettings | undefined;
}

export function createHookBoard(): HookBoard {
  const hooks = new Map<string, ApplySettings>();
  return {
    register: (name, apply) => void hooks.set(name, apply),
    find: (name) => hooks.get(name),
  };
}
