import { hasUnseen } from './visibleText.ts';

/**
 * A name as SQL that people copy. Invisible characters are written as PostgreSQL's Unicode escapes, so that the copy
 * means what was intended.
 */
export function sqlIdentifier(name: string): string {
  const quoted = name.replaceAll('"', '""');
  return hasUnseen(name) ? `U&"${unicodeEscaped(quoted)}"` : `"${quoted}"`;
}

/** A value as SQL that people copy. */
export function sqlLiteral(text: string): string {
  const quoted = text.replaceAll("'", "''");
  if (hasUnseen(text)) return `U&'${unicodeEscaped(quoted)}'`;
  return text.includes('\\') ? `E'${quoted.replaceAll('\\', String.raw`\\`)}'` : `'${quoted}'`;
}

function unicodeEscaped(text: string): string {
  return Array.from(text)
    .map((character) => {
      if (character === '\\') return String.raw`\\`;
      if (!hasUnseen(character)) return character;
      return String.raw`\+${(character.codePointAt(0) ?? 0).toString(16).padStart(6, '0')}`;
    })
    .join('');
}
