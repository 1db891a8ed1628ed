/* Figures by month, and where many hours changed their funding form. */
import type { AggregateRow, Model } from '../api/types';
import { addMonths, dayNumber } from '../format';

export type Measure = 'hours' | 'use' | 'no_show' | 'cost';
export const measures: readonly Measure[] = ['hours', 'use', 'no_show', 'cost'];
export type SplitBy = 'none' | 'municipality' | 'provider' | 'product' | 'model';
export const splits: readonly SplitBy[] = ['none', 'municipality', 'provider', 'product', 'model'];

/* What the measures are made of, summed over rows. */
export interface Sums {
  delivered: number;
  noShow: number;
  used: number;
  allotted: number;
  priced: number;
  cost: number;
  /* Clients times the weeks of their month, so that months can be added. */
  clientWeeks: number;
}

const NOTHING: Sums = { delivered: 0, noShow: 0, used: 0, allotted: 0, priced: 0, cost: 0, clientWeeks: 0 };

function weeksOf(month: string): number {
  return (dayNumber(addMonths(month, 1)) - dayNumber(month)) / 7;
}

function add(sums: Sums, row: AggregateRow): Sums {
  return {
    delivered: sums.delivered + row.delivered_minutes,
    noShow: sums.noShow + row.no_show_minutes,
    used: sums.used + row.used_minutes,
    allotted: sums.allotted + row.allotted_minutes,
    priced: sums.priced + row.priced_minutes,
    cost: sums.cost + row.cost_cents,
    clientWeeks: sums.clientWeeks + row.clients * (row.period_from === null ? 0 : weeksOf(row.period_from)),
  };
}

/* Used minutes of forms without an allotment say nothing about the use of one. */
const hasPool = (row: AggregateRow) => row.model !== 'Result' && row.model !== 'Task';

/* In minutes, shares of 1, or cents; null where there is nothing to divide by. */
export function valueOf(sums: Sums, measure: Measure): number | null {
  switch (measure) {
    case 'hours':
      return sums.clientWeeks > 0 ? sums.delivered / sums.clientWeeks : null;
    case 'use':
      return sums.allotted > 0 ? sums.used / sums.allotted : null;
    case 'no_show':
      return sums.delivered > 0 ? sums.noShow / sums.delivered : null;
    case 'cost':
      return sums.priced > 0 ? (60 * sums.cost) / sums.priced : null;
  }
}

export interface Series {
  /* The value by which it was split; "" for the total. */
  key: string;
  byMonth: Map<string, Sums>;
  whole: Sums;
}

/* Rows are by month, the split and the funding form. The series with the most hours come first. */
export function seriesOf(rows: readonly AggregateRow[], split: SplitBy): Series[] {
  const series = new Map<string, Series>();
  for (const row of rows) {
    const key = split === 'none' ? '' : (row[split] ?? '');
    let one = series.get(key);
    if (one === undefined) {
      one = { key, byMonth: new Map(), whole: NOTHING };
      series.set(key, one);
    }
    const counted = hasPool(row) ? row : { ...row, used_minutes: 0, allotted_minutes: 0 };
    const month = row.period_from ?? '';
    one.byMonth.set(month, add(one.byMonth.get(month) ?? NOTHING, counted));
    one.whole = add(one.whole, counted);
  }
  return [...series.values()].sort((a, b) => b.whole.delivered - a.whole.delivered || (a.key < b.key ? -1 : 1));
}

/* The sums of some months together. */
export function sumMonths(series: Series, months: readonly string[]): Sums {
  return months.reduce((sums, month) => {
    const more = series.byMonth.get(month) ?? NOTHING;
    return {
      delivered: sums.delivered + more.delivered,
      noShow: sums.noShow + more.noShow,
      used: sums.used + more.used,
      allotted: sums.allotted + more.allotted,
      priced: sums.priced + more.priced,
      cost: sums.cost + more.cost,
      clientWeeks: sums.clientWeeks + more.clientWeeks,
    };
  }, NOTHING);
}

/* ---- switches of funding form ---- */

export interface Switch {
  month: string;
  /* The share of the hours that moved. */
  share: number;
  from: Model;
  to: Model;
}

/* A switch moves at least this share of the hours from one month to the next, */
const SWITCH_SHARE_MIN = 0.05;
/* and so many times what moves in a month of its time span: where there are few decisions each one moves much. */
const SWITCH_TIMES_USUAL = 2.5;
/* What is usual takes some months to say. */
const USUAL_MONTHS_MIN = 4;
/* Of fewer hours than these in a month nothing is concluded. */
const SWITCH_MINUTES_MIN = 60 * 100;

/* What is a switch, by what moves in all months. */
function leastShare(moves: readonly Switch[]): number {
  const shares = moves.map((one) => one.share).sort((a, b) => a - b);
  const usual = shares.length < USUAL_MONTHS_MIN ? 0 : (shares[Math.floor((shares.length - 1) / 2)] ?? 0);
  return Math.max(SWITCH_SHARE_MIN, SWITCH_TIMES_USUAL * usual);
}

/* The months in which more of the hours changed their funding form than is usual. */
export function switchesOf(byModel: readonly Series[], months: readonly string[]): Switch[] {
  const moves: Switch[] = [];
  const shareIn = (series: Series, month: string, total: number) => (series.byMonth.get(month)?.delivered ?? 0) / total;
  const totalIn = (month: string) =>
    byModel.reduce((sum, series) => sum + (series.byMonth.get(month)?.delivered ?? 0), 0);
  for (let index = 1; index < months.length; index++) {
    const before = months[index - 1] ?? '';
    const month = months[index] ?? '';
    const totals = [totalIn(before), totalIn(month)] as const;
    if (totals[0] < SWITCH_MINUTES_MIN || totals[1] < SWITCH_MINUTES_MIN) {
      continue;
    }
    const changes = byModel
      .map((series) => ({
        model: series.key as Model,
        change: shareIn(series, month, totals[1]) - shareIn(series, before, totals[0]),
      }))
      .sort((a, b) => a.change - b.change);
    const share = changes.reduce((sum, one) => sum + Math.max(0, one.change), 0);
    const [loser, winner] = [changes[0], changes[changes.length - 1]];
    if (loser !== undefined && winner !== undefined) {
      moves.push({ month, share, from: loser.model, to: winner.model });
    }
  }
  const least = leastShare(moves);
  return moves.filter((one) => one.share >= least);
}

/* ---- before and after ---- */

export interface Halves {
  before: string[];
  after: string[];
}

/* Equal parts around the month, of half a year at most; the shorter side decides. */
export function halvesAround(months: readonly string[], month: string): Halves {
  const index = months.indexOf(month);
  const size = Math.min(6, index, months.length - index);
  return index < 0
    ? { before: [], after: [] }
    : { before: months.slice(index - size, index), after: months.slice(index, index + size) };
}

/* What the page draws. */
export interface View {
  measure: Measure;
  split: SplitBy;
  months: readonly string[];
  series: readonly Series[];
  byModel: readonly Series[];
  switches: readonly Switch[];
}
