import { visible } from '../../daemon/protocol/visibleText.ts';

/**
 * Text of others as VS Code may draw it. Names, paths, descriptions and messages are a stranger's: in a tooltip or a
 * document they must become no link, image, HTML or formula, in a message no command, in a label no icon. Tooltips are
 * not trusted besides, so that even a link could run no command.
 */

/** Text that Markdown shows as it is. `:`, `@` and `&` would make addresses and characters, `$` a formula. */
export function escapeMarkdown(text: string): string {
  return visible(text).replaceAll(/[\\`*_{}[\]()#+\-.!<>|~&:@=$]/g, String.raw`\$&`);
}

/** Text in the letters of code; the backticks around it are more than any inside. */
export function codeSpan(text: string): string {
  const inside = visible(text);
  const ticks = '`'.repeat(longestRun(inside) + 1);
  // One space at each end is taken off again; without it backticks at the end would join those around.
  const space = inside === '' || /^[` ]|[` ]$/.test(inside) ? ' ' : '';
  return `${ticks}${space}${inside}${space}${ticks}`;
}

/** Lines of code, which no line of them can end. */
export function codeBlock(language: string, text: string): string {
  const lines = text.split('\n').map(visible).join('\n');
  const fence = '`'.repeat(Math.max(3, longestRun(lines) + 1));
  return `${fence}${language}\n${lines}\n${fence}`;
}

/** A notification, in which VS Code makes links of `[text](command:…)`, and runs them. */
export function messageText(text: string): string {
  return text.split('\n').map(visible).join('\n').replaceAll('](', '] (');
}

/** Text on a row, in which VS Code draws icons of `$(name)`. */
export function labelText(text: string): string {
  return visible(text).replaceAll('$(', String.raw`\$(`);
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
}
