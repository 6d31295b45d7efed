/** Which configuration file a command means: --config, SWITCHYARD_CONFIG, then the two default places. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

export const DEFAULT_CONFIG_FILES = ['switchyard.yaml', '/etc/switchyard/switchyard.yaml'] as const;

/** A named file is returned even when it does not exist: its absence is the caller's error to tell. */
export function findConfigFile(named: string | undefined): string | undefined {
  const explicit = named ?? process.env['SWITCHYARD_CONFIG'];
  if (explicit !== undefined && explicit !== '') return resolve(explicit);
  const found = DEFAULT_CONFIG_FILES.find((file) => existsSync(file));
  return found === undefined ? undefined : resolve(found);
}

export const NO_CONFIG =
  'no configuration: give one with --config FILE (examples/switchyard.yaml is a whole site on one screen)';
