/**
 * Replaces a file whole: a reader sees the old content or the new one, never a part. What must outlive
 * a power failure asks for `durable`; what describes processes need not, they are gone then too.
 */
import { open, rename } from 'node:fs/promises';

export async function replaceFile(
  path: string,
  content: string,
  durability: 'durable' | 'process' = 'process',
): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
    if (durability === 'durable') await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
