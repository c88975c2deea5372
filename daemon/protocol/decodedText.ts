/** Text of a URL without its percent encoding; as it is where it has none that can be read. */
export function decodedText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
