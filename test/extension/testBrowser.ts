import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { cachedFolder } from './cachedFolder.ts';

/** Opens a headless Chromium: the one that `CHROME_PATH` names, on Linux the one from npm, else an installed Chrome. */
export async function openTestBrowser(): Promise<Browser> {
  const args = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
  args.push('--disable-component-update', '--disable-sync');
  if (process.getuid?.() === 0) args.push('--no-sandbox');

  const given = process.env.CHROME_PATH;
  if (given !== undefined) return chromium.launch({ executablePath: given, args });
  if (process.platform !== 'linux') return chromium.launch({ channel: 'chrome', args });

  const folder = await npmChromium();
  return chromium.launch({
    executablePath: path.join(folder, 'chromium'),
    args,
    // Without any font, pages are blank; the package brings one.
    ...(existsSync('/etc/fonts/fonts.conf')
      ? {}
      : { env: { ...process.env, FONTCONFIG_FILE: path.join(folder, 'fonts.conf') } }),
  });
}

function npmChromium(): Promise<string> {
  return cachedFolder('chromium', async (partial) => {
    // It unpacks into the temporary folder under fixed names, where another user's copy cannot be run or trusted.
    const temporary = process.env.TMPDIR;
    process.env.TMPDIR = partial;
    try {
      const { default: packed } = await import('@sparticuz/chromium');
      await packed.executablePath();
    } finally {
      if (temporary === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = temporary;
    }
    await writeFile(
      path.join(partial, 'fonts.conf'),
      '<?xml version="1.0"?><fontconfig><dir prefix="relative">fonts</dir></fontconfig>\n',
    );
  });
}
