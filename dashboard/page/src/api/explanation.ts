/* The shapes of docs/explain.md, as far as the page uses them. */
import { call, segment } from './client';
import type { AlertKind, AnomalyKind, Care, Frequency, Law, Outcome, Severity } from './types';

export type Terms =
  | { Pxq: { volume_minutes: number; frequency: Frequency } }
  | { Bandwidth: { min_minutes: number; max_minutes: number; per: Frequency } }
  | { YearBudget: { minutes_per_year: number } }
  | { FixedPlusSurplus: { minutes_per_week: number; surplus_minutes: number } }
  | { Result: { result: string; price_cents: number; expected_minutes_per_week: number | null } }
  | { Task: Record<string, never> };

export interface NoShowPolicy {
  billable_percent: number;
  max_per_month: number | null;
  notice_hours: number;
  counts_to_budget: boolean;
}

export interface ExplainedVersion {
  version: number;
  wins: boolean;
  event_id: string;
  recorded_at: string;
  status: 'ACTIVE' | 'WITHDRAWN';
  law: Law;
  product_category: string;
  product: string;
  care: Care;
  provider: string;
  valid_from: string;
  valid_to: string | null;
  effective_from: string;
  terms: Terms;
  no_show: NoShowPolicy;
  evaluation_months: number[];
  rate_cents_per_hour: number | null;
}

export type FactKind = 'DEBIT' | 'CREDIT' | 'NO_SHOW';

export interface Fact {
  kind: FactKind;
  id: string;
  provider: string;
  staff: string | null;
  from: string;
  to: string;
  started_at: string | null;
  minutes: number;
  counted_minutes: number;
  verdict: string;
  verdict_words: string;
  reason: string;
  recorded_at: string;
  event_id: string;
  corrects?: string | null;
}

export interface Week {
  week: string;
  monday: string;
  delivered_minutes: number;
  no_show_minutes: number;
  fixed_minutes: number | null;
  used_minutes: number;
  used_through_minutes: number;
  remaining_minutes: number | null;
  facts: Fact[];
}

export interface Period {
  period_from: string;
  period_to: string | null;
  account: boolean;
  allotted_minutes: number | null;
  minimum_minutes: number | null;
  used_minutes: number;
  remaining_minutes: number | null;
  delivered_minutes: number;
  no_show_minutes: number;
  weeks: Week[];
}

export interface Segment {
  segment_from: string;
  segment_to: string | null;
  terms: Terms;
  terms_words: string;
  periods: Period[];
}

export interface EvaluationDue {
  due: string;
  months: number;
  counts_from: string;
  counts_before: string | null;
  held: number;
}

export interface ExplainedNoShow {
  no_show: string;
  provider: string;
  appointment_on: string;
  appointment_at: string | null;
  planned_minutes: number;
  reason: string;
  notice_minutes: number | null;
  billable: boolean;
  rank: number | null;
  counted_minutes: number;
  verdict: string;
  verdict_words: string;
  explanation: string;
}

export interface ExplainedAlert {
  kind: AlertKind;
  severity: Severity;
  segment_from: string | null;
  period_from: string | null;
  threshold: number | null;
  effective_on: string;
  provider: string;
  because: string;
}

export interface ExplainedAnomaly {
  kind: AnomalyKind;
  subject: string;
  provider: string;
  because: string;
}

export interface Explanation {
  municipality: string;
  decision: string;
  client: string;
  as_of: string;
  as_of_origin: 'OPTION' | 'STORED' | 'TODAY';
  known: boolean;
  status: 'ACTIVE' | 'WITHDRAWN' | null;
  valid_from: string | null;
  valid_to: string | null;
  versions: ExplainedVersion[];
  in_force: { from: string; to: string | null; version: number; provider: string }[];
  evaluations: { dues: EvaluationDue[]; held: { held_on: string; outcome: Outcome }[] };
  segments: Segment[];
  not_counted: Fact[];
  credits: Fact[];
  no_shows: ExplainedNoShow[];
  alerts: ExplainedAlert[];
  anomalies: ExplainedAnomaly[];
  check: {
    ok: boolean;
    stored_accounts: number;
    stored_as_of: string | null;
    signals: string;
    differences: { object: string; key: string; column: string; explained: string | null; stored: string | null }[];
  };
}

export const explanation = (
  municipality: string,
  decision: string,
  client: string | null,
  language: string,
  signal: AbortSignal,
) =>
  call<Explanation>('GET', `decisions/${segment(municipality)}/${segment(decision)}/explanation`, {
    query: { client, lang: language },
    signal,
  });
