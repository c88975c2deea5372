/** The clock time, local; with the date when it is not today's. */
export function clockTime(iso: string, now: Date): string {
  const time = new Date(iso);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const date = (of: Date): string => `${of.getFullYear()}-${pad(of.getMonth() + 1)}-${pad(of.getDate())}`;
  const clock = `${pad(time.getHours())}:${pad(time.getMinutes())}`;
  return date(time) === date(now) ? clock : `${date(time)} ${clock}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `29 Nov, 14:02`, local. */
export function dayAndTime(iso: string): string {
  const time = new Date(iso);
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${String(time.getDate())} ${months[time.getMonth()] ?? ''}, ${pad(time.getHours())}:${pad(time.getMinutes())}`;
}
