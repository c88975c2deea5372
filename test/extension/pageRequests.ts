import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import type { RequestHandlers } from './requests.ts';

/** What the API cannot see or do: the window as a person has it before them. */
export function pageRequests(page: Page, pictures: string): RequestHandlers {
  return {
    /** A picture for people to look at. */
    async picture(name) {
      await mkdir(pictures, { recursive: true });
      await page.screenshot({ path: path.join(pictures, `${String(name)}.png`) });
    },
    rows: () => page.evaluate(scripts.rows),
    welcome: () => page.evaluate(scripts.welcome),
    statusBar: () => page.evaluate(scripts.statusBar),
    activations: () => page.evaluate(scripts.activations),
    openingMs: () => page.evaluate(scripts.openingMs),
    badge: () => page.evaluate(scripts.badge),
    /** The text of a document that is shown rendered, which is in frames of its own. */
    async rendered() {
      const texts = await Promise.all(
        page.frames().map((frame) => frame.evaluate<string>(scripts.body).catch(() => '')),
      );
      return texts.slice(1).join('\n');
    },
    quickFixes: () => page.evaluate(scripts.quickFixes),
    quickInput: () => page.evaluate(scripts.quickInput),
    toasts: () => page.evaluate(scripts.toasts),
    async press(key) {
      await page.keyboard.press(String(key));
    },
    async pressIn(params) {
      const { selector, key } = params as { selector: string; key: string };
      await page.press(selector, key, { timeout: 10_000 });
    },
    async fill(params) {
      const { selector, text } = params as { selector: string; text: string };
      await page.fill(selector, text, { timeout: 10_000 });
    },
    async hover(selector) {
      await page.hover(String(selector), { timeout: 10_000 });
    },
    actions: () => page.evaluate(scripts.actions),
    async click(selector) {
      await page.click(String(selector), { timeout: 10_000 });
    },
  };
}

/** Run in the page, each at one moment. As text, since the rest of the project knows no DOM. */
const scripts = {
  /** The rows of the tree as they are drawn, indented by level. */
  rows: `[...document.querySelectorAll('.tree-explorer-viewlet-tree-view .monaco-list-row')].map((row) => {
    const level = Number(row.getAttribute('aria-level') ?? '1');
    const label = row.querySelector('.label-name')?.textContent ?? '';
    const description = row.querySelector('.label-description')?.textContent ?? '';
    return '  '.repeat(level - 1) + label + (description === '' ? '' : '  ' + description);
  })`,
  /** What the row under the pointer offers. */
  actions: `[...document.querySelectorAll('.tree-explorer-viewlet-tree-view .monaco-list-row:hover .action-label')]
    .map((action) => action.getAttribute('aria-label'))`,
  /** What Show Running Extensions says of each. */
  activations: `[...document.querySelectorAll('.runtime-extensions-editor .monaco-list-row')].map((row) => row.innerText)`,
  /** Opens the list of all projects: ms from the click until its rows are drawn. */
  openingMs: `new Promise((resolve) => {
    const tree = document.querySelector('.tree-explorer-viewlet-tree-view');
    const rows = () => [...tree.querySelectorAll('.monaco-list-row')];
    const list = rows().find((row) => row.querySelector('.label-name')?.textContent === 'All projects');
    const before = rows().length;
    const started = performance.now();
    new MutationObserver((changes, observer) => {
      if (rows().length <= before + 5) return;
      observer.disconnect();
      requestAnimationFrame(() => resolve(performance.now() - started));
    }).observe(tree, { childList: true, subtree: true });
    list.click();
  })`,
  /** What the view says instead of a tree. */
  welcome: `[...document.querySelectorAll('.welcome-view-content')].map((part) => part.textContent).join('')`,
  /** The status bar item: its icons, its text and what a screen reader says; null while it is hidden. */
  statusBar: `(() => {
    const item = [...document.querySelectorAll('.statusbar-item')].find(({ id }) => id.endsWith('registrar.project'));
    if (!item) return null;
    const icons = [...item.querySelectorAll('.codicon')].map((icon) => /codicon-([\\w-]+)/.exec(icon.className)[1]);
    const spoken = item.querySelector('a')?.getAttribute('aria-label') ?? '';
    return { icons, text: item.textContent.trim(), spoken };
  })()`,
  /** The number on the activity bar's icon. */
  badge: `[...document.querySelectorAll('.activitybar .action-item')]
    .find((item) => item.querySelector('a')?.getAttribute('aria-label')?.startsWith('Registrar'))
    ?.querySelector('.badge-content')?.textContent ?? ''`,
  /** What a question at the top of the window says and offers. */
  quickInput: `(() => {
    const widget = document.querySelector('.quick-input-widget');
    return widget && widget.style.display !== 'none' ? widget.innerText : '';
  })()`,
  /** What the menu of quick fixes offers. */
  quickFixes: `document.querySelector('.action-widget')?.innerText ?? ''`,
  body: `document.body.innerText`,
  /** Notifications that stand in the corner. */
  toasts: `[...document.querySelectorAll('.notification-toast')].map((toast) => toast.textContent)`,
};
