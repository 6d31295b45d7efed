/**
 * Takes the pictures of docs/inspector.md: a real daemon with one group, seen in Chromium.
 *
 *   node dist/test/support/screenshot.js [folder]      default: docs
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChromium } from './chromium.js';
import { makeSite, until } from './daemon.js';
import { repoPath } from './root.js';
import { serving, siteText } from './site.js';

const folder = process.argv[2] ?? repoPath('docs');
const site = makeSite(siteText([['size: 1', 'size: 3']]));
const chromium = await startChromium();
try {
  const daemon = await site.start({ args: ['--inspector', '0'] });
  await until('three serve', async () => (await serving(daemon)).length === 3);
  const address = String(daemon.log.find(({ msg }) => msg === 'ready')?.['inspector']);
  const page = await chromium.open(`http://${address}/`, { width: 1600, height: 1000 });
  await page.until(`document.querySelectorAll('#actors .actor').length > 5`);
  const pictures = [
    ['instance', 'light', ''],
    ['group', 'dark', `document.getElementById('fit').click()`],
  ] as const;
  await daemon.cli('drain', String((await serving(daemon))[0]?.['id']));
  for (const [kind, scheme, then] of pictures) {
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await page.send('Emulation.setEmulatedMedia', { features });
    await page.evaluate(`document.querySelector('#actors [title^="${kind}/"]').click()`);
    await page.until(`document.querySelector('.box.lit.leaf')`);
    await page.evaluate(then);
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 1000))');
    const file = join(folder, `inspector-${kind}.png`);
    writeFileSync(file, await page.screenshot());
    process.stdout.write(`${file}\n`);
  }
} finally {
  await chromium.close();
  await site.close();
}
