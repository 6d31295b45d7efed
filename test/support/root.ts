/** Where the repository is, seen from built tests: fixtures and goldens are read from the sources. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function repoRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** Absolute path of a file of the repository. */
export function repoPath(...parts: readonly string[]): string {
  return join(repoRoot(), ...parts);
}
