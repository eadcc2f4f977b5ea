/** Numbers and times as people read them. */

const whole = new Intl.NumberFormat('en');
const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium' });
const moment = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });
const monthAndDay = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', timeZone: 'UTC' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** @param share from 0 to 1. */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}\u00a0%`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${whole.format(n)} ${n === 1 ? one : many}`;
}

export function date(iso: string): string {
  return day.format(new Date(iso));
}

/** @param iso a day without a time, which is one of UTC. */
export function shortDay(iso: string): string {
  return monthAndDay.format(new Date(iso));
}

export function dateAndTime(iso: string): string {
  return moment.format(new Date(iso));
}

const STEPS = [
  ['minute', 60],
  ['hour', 60],
  ['day', 24],
] as const;

/** For example '5 minutes ago'; the date when it was more than a month ago. */
export function ago(iso: string): string {
  const seconds = (Date.now() - Date.parse(iso)) / 1000;
  if (seconds < 60) return 'just now';
  let value = seconds;
  for (const [unit, size] of STEPS) {
    value /= size;
    const next = unit === 'minute' ? 60 : unit === 'hour' ? 24 : 30;
    if (value < next) return relative.format(-Math.floor(value), unit);
  }
  return date(iso);
}

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  return n < 1e6 ? `${(n / 1e3).toFixed(0)} kB` : `${(n / 1e6).toFixed(1)} MB`;
}
