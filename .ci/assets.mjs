// After the compiler: marks the command line entry executable, and removes from dist what has no source any more,
// which the compiler leaves behind and the tests would run. Everything else is loaded from its source folder.
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

for (const { name, parentPath, path } of existsSync(dist)
  ? readdirSync(dist, { recursive: true, withFileTypes: true })
  : []) {
  const output = join(parentPath ?? path, name);
  const source = output.replace(dist, root).replace(/\.(c?)js(\.map)?$/, '.$1ts');
  if (/\.c?js(\.map)?$/.test(name) && !existsSync(source)) rmSync(output);
}

const entry = join(dist, 'src', 'cli', 'main.js');
if (existsSync(entry)) chmodSync(entry, 0o755);
