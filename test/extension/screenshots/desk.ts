import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { quietSettings, writeSettings } from '../makeUserData.ts';
import { pageRequests } from '../pageRequests.ts';
import type { RequestHandlers } from '../requests.ts';

/** How the page says which kind of theme it shows. */
const pageClasses = { light: 'vs', dark: 'vs-dark', contrast: 'hc-black' };
export type Theme = keyof typeof pageClasses;

export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

const size = { width: 1280, height: 720 };
const waitMs = 30_000;

interface DeskOptions {
  address: string;
  userData: string;
  /** Where pictures go that nobody has named another place for. */
  folder: string;
  isTrusted: boolean;
}

/** A window as a person has it before them, and the hands to use it. */
export class Desk {
  readonly page: Page;
  readonly #options: DeskOptions;
  readonly #requests: RequestHandlers;

  private constructor(page: Page, options: DeskOptions) {
    this.page = page;
    this.#options = options;
    this.#requests = pageRequests(page, options.folder);
  }

  /** Opens a folder, or a workspace file, or nothing, with the Registrar view before it. */
  static async open(browser: Browser, options: DeskOptions, workspace: string | null): Promise<Desk> {
    const page = await browser.newPage({ viewport: size });
    const desk = new Desk(page, options);
    await page.addInitScript(contrastSwitch);
    await writeSettings(options.userData, {
      ...quietSettings,
      'window.autoDetectColorScheme': true,
      'security.workspace.trust.enabled': !options.isTrusted,
      // What only a server of tests shows.
      'remote.autoForwardPorts': false,
      'window.commandCenter': false,
      'window.title': '${rootName}',
    });
    const kind = workspace?.endsWith('.code-workspace') ? 'workspace' : 'folder';
    const query = workspace === null ? '' : `${kind}=${encodeURIComponent(workspace)}`;
    await page.goto(`http://${options.address}/?${query}`);
    await page.click('.activitybar a.action-label[aria-label^=Registrar]', { timeout: waitMs });
    await desk.rest();
    return desk;
  }

  close(): Promise<void> {
    return this.page.close();
  }

  /** What one of the page's readers gives; see pageRequests.ts. */
  async see<T>(kind: string): Promise<T> {
    return (await this.#requests[kind]?.(null)) as T;
  }

  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const giveUpAt = performance.now() + waitMs;
    while (!(await isSo())) {
      if (performance.now() > giveUpAt) {
        await this.page.screenshot({ path: path.join(this.#options.folder, 'failed.png') });
        throw new Error(`Waited in vain for ${what}: ${JSON.stringify(await this.see('rows'))}`);
      }
      await this.page.waitForTimeout(50);
    }
  }

  async rowsShow(pattern: RegExp): Promise<void> {
    await this.until(String(pattern), async () => (await this.see<string[]>('rows')).some((row) => pattern.test(row)));
  }

  async welcomeShows(words: string): Promise<void> {
    await this.until(words, async () => (await this.see<string>('welcome')).includes(words));
  }

  async quickInputShows(words: string): Promise<void> {
    await this.until(words, async () => (await this.see<string>('quickInput')).includes(words));
  }

  async renderedShows(words: string): Promise<void> {
    await this.until(words, async () => (await this.see<string>('rendered')).includes(words));
  }

  /** Runs a command of the palette by its title. */
  async command(title: string): Promise<void> {
    await this.type(title, title);
    await this.page.keyboard.press('Enter');
  }

  /** Types into the palette, until it offers something. */
  async type(text: string, offered: string): Promise<void> {
    await this.page.keyboard.press('F1');
    await this.page.waitForSelector('.quick-input-widget .monaco-list-row');
    await this.page.keyboard.type(text);
    await this.quickInputShows(offered);
  }

  /** Opens or closes a row of the tree. */
  async toggle(row: string): Promise<void> {
    await this.page.click(`.monaco-list-row:has-text("${row}") .monaco-tl-twistie`);
  }

  row(text: string): Promise<void> {
    return this.page.hover(`.monaco-list-row:has-text("${text}")`);
  }

  /** Moves the pointer to where nothing answers to it. */
  rest(): Promise<void> {
    return this.page.mouse.move(1000, 560);
  }

  async widenSideBar(pixels: number): Promise<void> {
    await this.page.mouse.move(350, 300);
    await this.page.mouse.down();
    await this.page.mouse.move(350 + pixels, 300, { steps: 4 });
    await this.page.mouse.up();
    await this.rest();
  }

  /**
   * Takes the same picture in every theme.
   *
   * @param place a folder for those that are shown to people, and in which themes; the others go to the test's output
   * @param before what does not outlive a change of the theme
   */
  async pictures(
    name: string,
    area?: Area,
    place?: { folder: string; kinds: readonly Theme[] },
    before?: () => Promise<void>,
  ): Promise<void> {
    for (const theme of ['contrast', 'dark', 'light'] as const) {
      await this.page.emulateMedia({ colorScheme: theme === 'light' ? 'light' : 'dark' });
      await this.page.evaluate(`setContrast(${theme === 'contrast'})`);
      await this.page.waitForSelector(`.monaco-workbench.${pageClasses[theme]}`);
      await before?.();
      // Colours fade in, and what is rendered follows a moment later.
      await this.page.waitForTimeout(400);
      const picture = await this.page.screenshot({ ...(area ? { clip: area } : {}), animations: 'disabled' });
      const isPlaced = place?.kinds.includes(theme) ?? false;
      const folder = isPlaced ? (place?.folder ?? '') : this.#options.folder;
      await mkdir(folder, { recursive: true });
      await writeFile(path.join(folder, `${name}-${theme}.png`), picture);
    }
  }
}

/** The system's wish for high contrast. The browser's own emulation would paint every page in colours of its own, too. */
const contrastSwitch = `{
  const wish = Object.assign(new EventTarget(), { matches: false, addListener() {}, removeListener() {} });
  const original = window.matchMedia.bind(window);
  window.matchMedia = (query) => (query === '(forced-colors: active)' ? wish : original(query));
  window.setContrast = (matches) => {
    wish.matches = matches;
    wish.dispatchEvent(new Event('change'));
  };
}`;
