/** `38 MB`: whole kilobytes and megabytes, gigabytes with a tenth. */
export function sizeText(bytes: number): string {
  if (bytes < 1_048_576) return `${String(Math.ceil(bytes / 1024))} kB`;
  if (bytes < 1_073_741_824) return `${String(Math.round(bytes / 1_048_576))} MB`;
  return `${(bytes / 1_073_741_824).toFixed(1)} GB`;
}
