/** Matches every spelling that `parseId` accepts, for places that need a pattern, such as the JSON schema. */
const idPattern = /^(?:[uU][rR][nN]:[uU][uU][iI][dD]:)?(?:\{[0-9a-fA-F-]+\}|[0-9a-fA-F-]+)$/;

const canonical = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const bare = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;

/**
 * Reads a project id in any UUID spelling: any case, with or without hyphens, in braces, as a URN.
 *
 * @returns the id in lower case with hyphens, or null when the text is not a UUID. The nil UUID is one: it is the id of
 *   the default project.
 */
export function parseId(text: string): string | null {
  // As rows and markers have it: no other spelling has to be tried.
  if (canonical.test(text)) return text;
  if (!idPattern.test(text)) return null;
  const digits = text
    .toLowerCase()
    .replace(/^urn:uuid:/, '')
    .replace(/^\{(.*)\}$/, '$1');
  if (canonical.test(digits)) return digits;
  return bare.test(digits) ? digits.replace(bare, '$1-$2-$3-$4-$5') : null;
}
