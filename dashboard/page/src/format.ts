/* Numbers, hours, dates and money as people write them. */
import { useMemo } from 'preact/hooks';
import { useLanguage, type Language } from './preferences';

const ZONE = 'Europe/Amsterdam';

/* A civil date as an instant at noon UTC, which is the same day in every zone that is asked for. */
export function dateOf(day: string): Date {
  return new Date(`${day}T12:00:00Z`);
}

export const MS_PER_DAY = 86_400_000;

/* Days since 1970-01-01. */
export function dayNumber(day: string): number {
  return Math.round(Date.parse(`${day}T00:00:00Z`) / MS_PER_DAY);
}

export function dayText(number: number): string {
  return new Date(number * MS_PER_DAY).toISOString().slice(0, 10);
}

export function addDays(day: string, days: number): string {
  return dayText(dayNumber(day) + days);
}

export function monthStart(day: string): string {
  return `${day.slice(0, 7)}-01`;
}

/* The first day of the month that lies `months` after that of `day`. */
export function addMonths(day: string, months: number): string {
  const index = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + months;
  return `${String(Math.floor(index / 12)).padStart(4, '0')}-${String((index % 12) + 1).padStart(2, '0')}-01`;
}

export function monthEnd(day: string): string {
  return addDays(addMonths(day, 1), -1);
}

/* Monday of the ISO week. 1970-01-01 was a Thursday. */
export function weekStart(day: string): string {
  const number = dayNumber(day);
  return dayText(number - ((((number + 3) % 7) + 7) % 7));
}

export interface IsoWeek {
  year: number;
  week: number;
}

/* The year of an ISO week is that of its Thursday. */
export function isoWeek(day: string): IsoWeek {
  const monday = dayNumber(weekStart(day));
  const year = Number(dayText(monday + 3).slice(0, 4));
  const first = dayNumber(weekStart(`${year}-01-04`));
  return { year, week: (monday - first) / 7 + 1 };
}

function makeFormat(language: Language) {
  const locale = language === 'nl' ? 'nl-NL' : 'en-GB';
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const hours = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const decimal = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const hoursFine = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
  const percentFine = new Intl.NumberFormat(locale, {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });
  const euro = new Intl.NumberFormat(locale, { style: 'currency', currency: 'EUR' });
  const euroWhole = new Intl.NumberFormat(locale, { style: 'currency', currency: 'EUR', maximumFractionDigits: 0 });
  const date = new Intl.DateTimeFormat(locale, { timeZone: ZONE, day: 'numeric', month: 'short', year: 'numeric' });
  const dateLong = new Intl.DateTimeFormat(locale, {
    timeZone: ZONE,
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });
  const dayMonth = new Intl.DateTimeFormat(locale, { timeZone: ZONE, day: 'numeric', month: 'short' });
  const weekday = new Intl.DateTimeFormat(locale, { timeZone: ZONE, weekday: 'short' });
  const month = new Intl.DateTimeFormat(locale, { timeZone: ZONE, month: 'long', year: 'numeric' });
  const monthShort = new Intl.DateTimeFormat(locale, { timeZone: ZONE, month: 'short', year: '2-digit' });
  const instant = new Intl.DateTimeFormat(locale, {
    timeZone: ZONE,
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  });
  const time = new Intl.DateTimeFormat(locale, { timeZone: ZONE, hour: '2-digit', minute: '2-digit' });
  // Swedish writes dates as ISO does.
  const isoDay = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE });
  const list = new Intl.ListFormat(locale, { type: 'conjunction' });
  const unit = language === 'nl' ? 'uur' : 'hours';
  return {
    language,
    locale,
    number: (value: number) => number.format(value),
    /* Minutes as hours without the unit: 90 is "1,5". */
    hours: (minutes: number) => hours.format(minutes / 60),
    /* The same with two decimals: 80 is "1,33". */
    hoursFine: (minutes: number) => hoursFine.format(minutes / 60),
    decimal: (value: number) => decimal.format(value),
    hoursUnit: (minutes: number) => `${hours.format(minutes / 60)}\u00a0${unit}`,
    /* Minutes as on a clock: 90 is "1:30". */
    clock: (minutes: number) => {
      const whole = Math.abs(minutes);
      return `${minutes < 0 ? '\u2212' : ''}${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
    },
    /* A share, 0.12 is "12%". */
    percent: (share: number) => percent.format(share),
    percentFine: (share: number) => percentFine.format(share),
    euro: (cents: number) => euro.format(cents / 100),
    euroWhole: (cents: number) => euroWhole.format(cents / 100),
    date: (day: string) => date.format(dateOf(day)),
    dateLong: (day: string) => dateLong.format(dateOf(day)),
    dayMonth: (day: string) => dayMonth.format(dateOf(day)),
    weekday: (day: string) => weekday.format(dateOf(day)),
    month: (day: string) => month.format(dateOf(day)),
    monthShort: (day: string) => monthShort.format(dateOf(day)),
    instant: (text: string) => instant.format(new Date(text)),
    time: (text: string) => time.format(new Date(text)),
    /* The civil date of an instant, as 2026-01-31. */
    isoDay: (text: string) => isoDay.format(new Date(text)),
    /* Words of the server, in which dates and instants stand as the API writes them. */
    sentence: (text: string) =>
      text.replace(/(?<![^\s(])\d{4}-\d\d-\d\d(T[\d:.]+Z)?(?![^\s,;.)])/g, (found, clock: string | undefined) =>
        clock === undefined ? date.format(dateOf(found)) : instant.format(new Date(found)),
      ),
    list: (items: string[]) => list.format(items),
  };
}

export type Format = ReturnType<typeof makeFormat>;

export function useFormat(): Format {
  const language = useLanguage();
  return useMemo(() => makeFormat(language), [language]);
}
