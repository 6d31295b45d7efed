/**
 * The data directory named by a configuration file, for commands that only look for the daemon's
 * socket: an otherwise broken file must not keep an operator from asking the running daemon.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';

export async function dataDirOf(file: string): Promise<string> {
  const fallback = resolve(dirname(file), 'data');
  try {
    const config: unknown = parse(await readFile(file, 'utf8'));
    const named = (config as { node?: { dataDir?: unknown } } | null)?.node?.dataDir;
    return typeof named === 'string' ? resolve(dirname(file), expand(named)) : fallback;
  } catch {
    return fallback;
  }
}

function expand(text: string): string {
  return text.replace(
    /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g,
    (_, name: string) => process.env[name] ?? '',
  );
}
