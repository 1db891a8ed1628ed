/* From the explanation of a decision to what its page draws: pools over time, weeks, and how it will go on. */
import type { Explanation, Fact, Period, Segment, Terms, Week } from '../api/explanation';
import type { Model } from '../api/types';
import { addDays, dayNumber } from '../format';

export function modelOf(terms: Terms): Model {
  return Object.keys(terms)[0] as Model;
}

/* A pool that lasts for long burns down week by week; one of a week or a month is looked at as a whole. */
export function isLong(terms: Terms): boolean {
  return (
    'FixedPlusSurplus' in terms ||
    'YearBudget' in terms ||
    ('Pxq' in terms && (terms.Pxq.frequency === 'YEAR' || terms.Pxq.frequency === 'TOTAL'))
  );
}

const isDaily = (terms: Terms) => 'Pxq' in terms && terms.Pxq.frequency === 'DAY';
const isWeekly = (terms: Terms) =>
  ('Pxq' in terms && terms.Pxq.frequency === 'WEEK') || ('Bandwidth' in terms && terms.Bandwidth.per === 'WEEK');

/* The minutes that a week may have by its terms alone; null where they do not speak of weeks. */
export function weeklyNorm(terms: Terms): number | null {
  if ('FixedPlusSurplus' in terms) {
    return terms.FixedPlusSurplus.minutes_per_week;
  }
  if ('Result' in terms) {
    return terms.Result.expected_minutes_per_week;
  }
  if ('Pxq' in terms && terms.Pxq.frequency === 'WEEK') {
    return terms.Pxq.volume_minutes;
  }
  if ('Bandwidth' in terms && terms.Bandwidth.per === 'WEEK') {
    return terms.Bandwidth.max_minutes;
  }
  return null;
}

/* ---- the extent ---- */

export interface Extent {
  /* Days since 1970; `to` is the day after the last one. */
  from: number;
  to: number;
}

/* The last day of the last week with something in it; "" when there is none. */
function lastDelivery(explanation: Explanation): string {
  let last = '';
  for (const segment of explanation.segments) {
    for (const period of segment.periods) {
      for (const week of period.weeks) {
        const end = addDays(week.monday, 6);
        last = end > last ? end : last;
      }
    }
  }
  return last;
}

/* A decision without an end is drawn three months beyond what is known. */
export function extentOf(explanation: Explanation): Extent {
  const from = explanation.valid_from ?? explanation.segments[0]?.segment_from ?? explanation.as_of;
  const known = [explanation.as_of, lastDelivery(explanation), from];
  const latest = known.reduce((a, b) => (a > b ? a : b));
  return { from: dayNumber(from), to: dayNumber(explanation.valid_to ?? addDays(latest, 91)) + 1 };
}

export type Range = 'all' | 'pool' | 'recent';

export function rangeOf(range: Range, explanation: Explanation, pool: Pool | null): Extent {
  const whole = extentOf(explanation);
  if (range === 'pool' && pool !== null) {
    const from = dayNumber(pool.period.period_from);
    return { from, to: pool.period.period_to === null ? whole.to : dayNumber(pool.period.period_to) + 1 };
  }
  if (range === 'recent') {
    const last = Math.min(dayNumber(explanation.as_of) + 14, whole.to);
    return { from: Math.max(whole.from, last - 26 * 7), to: last };
  }
  return whole;
}

/* ---- weeks ---- */

export interface WeekSum {
  monday: string;
  week: string;
  /* Their sum is what was delivered. Surplus is the part beyond the fixed hours. */
  care: number;
  noShow: number;
  surplus: number;
  delivered: number;
  noShowAll: number;
  norm: number | null;
  parts: WeekPart[];
}

/* A week, or the part of it that lies in one period. */
export interface WeekPart {
  segment: Segment;
  period: Period;
  week: Week;
}

/* Weeks with something in them, ascending. */
export function weekSums(explanation: Explanation): WeekSum[] {
  const sums = new Map<string, WeekSum>();
  for (const segment of explanation.segments) {
    for (const period of segment.periods) {
      for (const week of period.weeks) {
        let sum = sums.get(week.monday);
        if (sum === undefined) {
          sum = {
            monday: week.monday,
            week: week.week,
            care: 0,
            noShow: 0,
            surplus: 0,
            delivered: 0,
            noShowAll: 0,
            norm: null,
            parts: [],
          };
          sums.set(week.monday, sum);
        }
        const surplus = 'FixedPlusSurplus' in segment.terms ? week.used_minutes : 0;
        // Where hours of a no-show lie beyond the fixed ones, they are shown as surplus.
        const noShow = Math.min(week.no_show_minutes, week.delivered_minutes - surplus);
        sum.surplus += surplus;
        sum.noShow += noShow;
        sum.care += week.delivered_minutes - surplus - noShow;
        sum.delivered += week.delivered_minutes;
        sum.noShowAll += week.no_show_minutes;
        sum.norm = weeklyNorm(segment.terms) ?? sum.norm;
        sum.parts.push({ segment, period, week });
      }
    }
  }
  return [...sums.values()].sort((a, b) => (a.monday < b.monday ? -1 : 1));
}

/* ---- pools ---- */

export interface Point {
  x: number;
  /* NaN breaks the line. */
  y: number;
}

const BREAK: Point = { x: NaN, y: NaN };

function burnDown(segment: Segment, period: Period, asOf: number, whole: Extent): Point[] {
  const allotted = period.allotted_minutes ?? 0;
  const from = dayNumber(period.period_from);
  const end = period.period_to === null ? whole.to : dayNumber(period.period_to) + 1;
  const left = allotted - period.used_minutes;
  if (isWeekly(segment.terms) || isDaily(segment.terms)) {
    return [{ x: from, y: left }, { x: end, y: left }, BREAK];
  }
  const points: Point[] = [{ x: from, y: allotted }];
  let before = allotted;
  for (const week of period.weeks) {
    const monday = dayNumber(week.monday);
    const start = Math.max(monday, from);
    const last = points[points.length - 1];
    // A week without anything in between keeps the line level.
    if (last !== undefined && start > last.x) {
      points.push({ x: start, y: before });
    }
    before = week.remaining_minutes ?? before;
    points.push({ x: Math.min(monday + 7, end), y: before });
  }
  const known = Math.min(end, Math.max(asOf + 1, points[points.length - 1]?.x ?? from));
  points.push({ x: known, y: before });
  points.push(BREAK);
  return points;
}

/* What is left in the pools, over time, in minutes. */
export function poolLine(explanation: Explanation): Point[] {
  const asOf = dayNumber(explanation.as_of);
  const whole = extentOf(explanation);
  return explanation.segments.flatMap((segment) =>
    segment.periods
      .filter((period) => period.allotted_minutes !== null && (period.account || isLong(segment.terms)))
      .flatMap((period) => burnDown(segment, period, asOf, whole)),
  );
}

/* Even use of the long pools with an end. */
export function evenLine(explanation: Explanation): Point[] {
  const points: Point[] = [];
  for (const segment of explanation.segments) {
    for (const period of isLong(segment.terms) ? segment.periods : []) {
      if (period.allotted_minutes !== null && period.period_to !== null) {
        points.push({ x: dayNumber(period.period_from), y: period.allotted_minutes });
        points.push({ x: dayNumber(period.period_to) + 1, y: 0 }, BREAK);
      }
    }
  }
  return points;
}

/* Where the line must not end above: more is left than the bandwidth's minimum allows. */
export function minimumLine(explanation: Explanation): Point[] {
  const points: Point[] = [];
  for (const segment of explanation.segments) {
    for (const period of segment.periods) {
      if (period.minimum_minutes !== null && period.allotted_minutes !== null && period.period_to !== null) {
        const y = period.allotted_minutes - period.minimum_minutes;
        points.push({ x: dayNumber(period.period_from), y }, { x: dayNumber(period.period_to) + 1, y }, BREAK);
      }
    }
  }
  return points;
}

/* ---- the pool of today ---- */

export interface Pool {
  segment: Segment;
  period: Period;
  long: boolean;
}

/* The pool whose period contains the date; null when there is none, or nothing was delivered in its short period. */
export function poolOn(explanation: Explanation, day: string): Pool | null {
  for (const segment of explanation.segments) {
    for (const period of segment.periods) {
      if (
        period.allotted_minutes !== null &&
        period.period_from <= day &&
        (period.period_to === null || day <= period.period_to)
      ) {
        return { segment, period, long: isLong(segment.terms) };
      }
    }
  }
  return null;
}

export function segmentOn(explanation: Explanation, day: string): Segment | null {
  return (
    explanation.segments.find(
      (segment) => segment.segment_from <= day && (segment.segment_to === null || day <= segment.segment_to),
    ) ?? null
  );
}

export type Outlook =
  /* The pool is used up. */
  | { is: 'exhausted' }
  /* Too little time or nothing used: nothing can be said. */
  | { is: 'early' }
  /* At this pace it is used up on a day, before its end where there is one. */
  | { is: 'short'; on: string; left: number | null }
  /* At this pace so many minutes are left at the end. */
  | { is: 'enough'; left: number };

export interface Projection {
  used: number;
  elapsedDays: number;
  /* null: no end. */
  totalDays: number | null;
  outlook: Outlook;
  /* From today to the end or to where it is used up. */
  line: Point[];
}

/* The same count of days as PROJECTED_EXHAUSTION: a pace means something after four weeks. */
const ELAPSED_DAYS_MIN = 28;

/* Goes on at the pace of the period so far, as the alert PROJECTED_EXHAUSTION does. */
export function project(pool: Pool, asOfDay: string, whole: Extent): Projection {
  const { period } = pool;
  const allotted = period.allotted_minutes ?? 0;
  const from = dayNumber(period.period_from);
  const asOf = dayNumber(asOfDay);
  const elapsedDays = asOf - from + 1;
  const totalDays = period.period_to === null ? null : dayNumber(period.period_to) - from + 1;
  const upToNow = period.weeks.filter((week) => dayNumber(week.monday) <= asOf);
  const used = upToNow[upToNow.length - 1]?.used_through_minutes ?? 0;
  const left = allotted - used;
  const base = { used, elapsedDays, totalDays };
  if (left <= 0) {
    return { ...base, outlook: { is: 'exhausted' }, line: [] };
  }
  if (elapsedDays < ELAPSED_DAYS_MIN || used === 0) {
    return { ...base, outlook: { is: 'early' }, line: [] };
  }
  const pace = used / elapsedDays;
  const zero = asOf + 1 + left / pace;
  const end = totalDays === null ? whole.to : from + totalDays;
  const atEnd = left - pace * (end - asOf - 1);
  const line = [
    { x: asOf + 1, y: left },
    { x: end, y: atEnd },
  ];
  const on = addDays(asOfDay, Math.floor(zero) - asOf);
  if (totalDays === null) {
    return { ...base, outlook: { is: 'short', on, left: null }, line };
  }
  if (zero < end) {
    return { ...base, outlook: { is: 'short', on, left: Math.round(atEnd) }, line };
  }
  return { ...base, outlook: { is: 'enough', left: Math.round(atEnd) }, line };
}

/* ---- evaluations ---- */

export type DueState = 'held' | 'late' | 'now' | 'ahead';

export interface Due {
  due: string;
  months: number;
  state: DueState;
  heldOn: string | null;
  outcome: string | null;
}

export function evaluationDues(explanation: Explanation): Due[] {
  const { dues, held } = explanation.evaluations;
  return dues.map((one) => {
    const answer = held.find(
      (evaluation) =>
        evaluation.held_on >= one.counts_from && (one.counts_before === null || evaluation.held_on < one.counts_before),
    );
    const state: DueState =
      one.held > 0
        ? 'held'
        : one.due < explanation.as_of
          ? 'late'
          : one.counts_from <= explanation.as_of
            ? 'now'
            : 'ahead';
    return {
      due: one.due,
      months: one.months,
      state,
      heldOn: answer?.held_on ?? null,
      outcome: answer?.outcome ?? null,
    };
  });
}

/* ---- sums ---- */

export interface Sums {
  delivered: number;
  noShow: number;
  /* Average of the thirteen weeks that ended before today, in minutes; null before the first. */
  perWeek: number | null;
  perWeekBefore: number | null;
  lastCare: string | null;
}

const QUARTER_WEEKS = 13;

export function sumsOf(explanation: Explanation, weeks: readonly WeekSum[]): Sums {
  const monday = dayNumber(explanation.as_of) - ((dayNumber(explanation.as_of) + 3) % 7);
  const between = (from: number, to: number) =>
    weeks
      .filter((week) => dayNumber(week.monday) >= from && dayNumber(week.monday) < to)
      .reduce((sum, week) => sum + week.delivered, 0);
  const start = explanation.valid_from === null ? monday : dayNumber(explanation.valid_from);
  const average = (from: number, to: number) => {
    const first = Math.max(from, start);
    return to - first >= 7 ? between(from, to) / ((to - first) / 7) : null;
  };
  const quarter = QUARTER_WEEKS * 7;
  const isCare = (fact: Fact) => fact.kind === 'DEBIT' && fact.counted_minutes > 0 && fact.to <= explanation.as_of;
  const lastCare = weeks
    .flatMap((week) => week.parts.flatMap((part) => part.week.facts.filter(isCare)))
    .reduce((last, fact) => (fact.to > last ? fact.to : last), '');
  return {
    delivered: weeks.reduce((sum, week) => sum + week.delivered, 0),
    noShow: weeks.reduce((sum, week) => sum + week.noShowAll, 0),
    perWeek: average(monday - quarter, monday),
    perWeekBefore: average(monday - 2 * quarter, monday - quarter),
    lastCare: lastCare === '' ? null : lastCare,
  };
}
