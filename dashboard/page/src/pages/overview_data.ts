/* What the overview asks of the API, and the addresses of the lists behind its figures. */
import { aggregates, alertCounts, alerts, anomalyCounts, decisionCounts } from '../api/calls';
import type { AggregateRow, Alert, CountRow } from '../api/types';
import { addDays, addMonths, monthEnd, monthStart } from '../format';
import { href } from '../router';
import { NOT_SNOOZED } from './alerts_data';

export type SplitBy = 'municipality' | 'provider' | 'product' | 'model';
export const splits: readonly SplitBy[] = ['municipality', 'provider', 'product', 'model'];
/* The filters that are in force, by the API's names. */
export type Scope = Record<string, string>;

export const LOW = ['BUDGET_LOW', 'SURPLUS_LOW'] as const;
export const EXHAUSTED = ['BUDGET_EXHAUSTED', 'SURPLUS_EXHAUSTED'] as const;

/* The filters of the lists, which are those of the figures: a figure is the length of its list. */
export function lists(asOf: string) {
  const evaluations = { kind: 'EVALUATION_DUE', valid_on: asOf };
  return {
    evaluations: { ...evaluations, effective_to: monthEnd(asOf) },
    overdue: { ...evaluations, effective_to: addDays(asOf, -1) },
    settled: { ...evaluations, status: 'RESOLVED', effective_from: monthStart(asOf), effective_to: monthEnd(asOf) },
    pools: { kind: LOW.join(','), active_on: asOf },
    exhausted: { kind: EXHAUSTED.join(','), active_on: asOf },
    projected: { kind: 'PROJECTED_EXHAUSTION', active_on: asOf },
    stalled: { kind: 'CARE_STALLED', valid_on: asOf },
    ending: { kind: 'DECISION_ENDING', valid_on: asOf },
  };
}

export type ListName = keyof ReturnType<typeof lists>;

/* The decisions that have an evaluation to be held in the month that lies `months` after this one, announced or not. */
const dueIn = (asOf: string, months: number) => ({
  valid_on: asOf,
  evaluation_month: addMonths(asOf, months),
});

/* As of which day, with which filters, and whether signals may be seen. */
export interface Here {
  asOf: string;
  scope: Scope;
  withSignals: boolean;
}

/* A month's evaluations, those that are due first at the top. */
export const dueHref = (here: Here, months: number, more: Scope = {}) =>
  href(['decisions'], { ...here.scope, ...dueIn(here.asOf, months), ...more, sort: 'evaluation_due' });

export const alertsHref = (here: Here, name: ListName, more: Scope = {}) =>
  href(['alerts'], { ...here.scope, ...lists(here.asOf)[name], ...more });

/* What was snoozed is not for today: the lists leave it out as well. */
const state = NOT_SNOOZED;

const total = (rows: readonly { count: number }[]) => rows.reduce((sum, row) => sum + row.count, 0);

/* Whether the signals' list knows all filters that are in force. */
export const signalsFit = (scope: Scope) => scope.product === undefined && scope.model === undefined;

export interface Totals {
  counts: Record<ListName, number>;
  due: { thisMonth: number; nextMonth: number };
  /* By case state; null: this role sees no signals, or they cannot be filtered so. */
  signals: { fresh: number; inResearch: number } | null;
  /* The last twelve full months, ascending. */
  months: AggregateRow[];
}

export async function loadTotals(
  asOf: string,
  scope: Scope,
  withSignals: boolean,
  signal: AbortSignal,
): Promise<Totals> {
  const wanted = lists(asOf);
  const names = Object.keys(wanted) as ListName[];
  const due = async (later: number) => total(await decisionCounts(['law'], { ...scope, ...dueIn(asOf, later) }, signal));
  const [counted, thisMonth, nextMonth, states, months] = await Promise.all([
    Promise.all(
      names.map(
        async (name) => [name, total(await alertCounts(['kind'], { ...scope, ...wanted[name], state }, signal))] as const,
      ),
    ),
    due(0),
    due(1),
    withSignals && signalsFit(scope) ? anomalyCounts(['state'], { ...scope, state: 'NEW,IN_RESEARCH' }, signal) : null,
    aggregates('monthly', { ...scope, from: addMonths(asOf, -12), to: addMonths(asOf, -1) }, signal),
  ]);
  return {
    counts: Object.fromEntries(counted) as Record<ListName, number>,
    due: { thisMonth, nextMonth },
    signals:
      states === null
        ? null
        : {
            fresh: total(states.filter((row) => row.state === 'NEW')),
            inResearch: total(states.filter((row) => row.state === 'IN_RESEARCH')),
          },
    months,
  };
}

export interface Firsts {
  evaluations: Alert[];
  pools: Alert[];
}

const FIRSTS = 6;

export async function loadFirsts(asOf: string, scope: Scope, signal: AbortSignal): Promise<Firsts> {
  const wanted = lists(asOf);
  const [evaluations, pools] = await Promise.all([
    alerts({ ...scope, ...wanted.evaluations, state, sort: 'effective_on', limit: FIRSTS }, signal),
    alerts(
      {
        ...scope,
        ...wanted.pools,
        kind: [...EXHAUSTED, ...LOW].join(','),
        state,
        effective_to: asOf,
        sort: '-effective_on',
        limit: 4 * FIRSTS,
      },
      signal,
    ),
  ]);
  // A pool that is exhausted is low as well; it is shown once, with the higher threshold.
  const seen = new Map<string, Alert>();
  for (const alert of pools.items) {
    const key = `${alert.municipality}/${alert.decision}/${alert.client}/${alert.period_from ?? ''}`;
    const before = seen.get(key);
    if (before === undefined || (alert.threshold ?? 0) > (before.threshold ?? 0)) {
      seen.set(key, alert);
    }
  }
  return { evaluations: evaluations.items, pools: [...seen.values()].slice(0, FIRSTS) };
}

export type SplitColumn = 'due' | 'overdue' | 'pools' | 'exhausted' | 'stalled';

export interface SplitRow {
  value: string;
  counts: Record<SplitColumn, number>;
  signals: number | null;
  noShowShare: number | null;
}

const NO_COUNTS = { due: 0, overdue: 0, pools: 0, exhausted: 0, stalled: 0 };

export async function loadSplit(
  asOf: string,
  by: SplitBy,
  scope: Scope,
  withSignals: boolean,
  signal: AbortSignal,
): Promise<SplitRow[]> {
  const wanted = lists(asOf);
  const columns = ['overdue', 'pools', 'exhausted', 'stalled'] as const;
  const rows = new Map<string, SplitRow>();
  const hasSignals = withSignals && signalsFit(scope) && (by === 'municipality' || by === 'provider');
  const rowOf = (value: string) => {
    let row = rows.get(value);
    if (row === undefined) {
      row = { value, counts: { ...NO_COUNTS }, signals: hasSignals ? 0 : null, noShowShare: null };
      rows.set(value, row);
    }
    return row;
  };
  const named = (column: SplitColumn, answer: CountRow<SplitBy>[]) =>
    answer.map((row) => ({ column, value: row[by], count: row.count }));
  const [due, counted, hours, signals] = await Promise.all([
    decisionCounts([by], { ...scope, ...dueIn(asOf, 0) }, signal),
    Promise.all(
      columns.map(async (column) =>
        named(column, await alertCounts([by], { ...scope, ...wanted[column], state }, signal)),
      ),
    ),
    aggregates(
      'monthly',
      { ...scope, by, total: true, from: addMonths(asOf, -3), to: addDays(monthStart(asOf), -1) },
      signal,
    ),
    hasSignals ? anomalyCounts([by as SplitBy], { ...scope, state: 'NEW' }, signal) : [],
  ]);
  for (const { column, value, count } of [...named('due', due), ...counted.flat()]) {
    if (value !== null) {
      rowOf(value).counts[column] += count;
    }
  }
  for (const row of hours) {
    const value = row[by];
    if (value !== undefined && row.delivered_minutes > 0) {
      rowOf(value).noShowShare = row.no_show_minutes / row.delivered_minutes;
    }
  }
  for (const row of signals) {
    const value = row[by];
    if (value !== null) {
      rowOf(value).signals = row.count;
    }
  }
  return [...rows.values()].sort(
    (a, b) =>
      b.counts.overdue + b.counts.exhausted - (a.counts.overdue + a.counts.exhausted) ||
      b.counts.due - a.counts.due ||
      (a.value < b.value ? -1 : 1),
  );
}
