/* The shapes of dashboard/openapi.yaml, by its names. */

export type Role = 'contract-manager' | 'regional' | 'fraud' | 'admin';
export type Status = 'OPEN' | 'RESOLVED';
export type Severity = 'INFO' | 'WARNING' | 'CRITICAL';
export type Outcome = 'CONTINUE' | 'ADJUST' | 'DOWNSCALE' | 'END';
export type CaseState = 'NEW' | 'IN_RESEARCH' | 'FOUNDED' | 'UNFOUNDED';
export type AlertState = 'NEW' | 'ASSIGNED' | 'ACKNOWLEDGED' | 'SNOOZED';
export type Law = 'WMO' | 'JEUGDWET' | 'PARTICIPATIEWET';
export type Care = 'CONTINUOUS' | 'INTENSIVE';
export type Model = 'Pxq' | 'Bandwidth' | 'YearBudget' | 'FixedPlusSurplus' | 'Result' | 'Task';
export type Frequency = 'DAY' | 'WEEK' | 'FOUR_WEEKS' | 'MONTH' | 'YEAR' | 'TOTAL';
export type AlertKind =
  | 'SURPLUS_LOW'
  | 'SURPLUS_EXHAUSTED'
  | 'BUDGET_LOW'
  | 'BUDGET_EXHAUSTED'
  | 'PROJECTED_EXHAUSTION'
  | 'PERIOD_EXCEEDED'
  | 'BANDWIDTH_ABOVE'
  | 'BANDWIDTH_BELOW'
  | 'EVALUATION_DUE'
  | 'DECISION_ENDING'
  | 'CARE_STALLED';
export type AnomalyKind =
  | 'VERSION_CONFLICT'
  | 'DUPLICATE_CONFLICT'
  | 'ORPHAN_CREDIT'
  | 'CREDIT_MISMATCH'
  | 'DOUBLE_CREDIT'
  | 'UNKNOWN_DECISION'
  | 'OUTSIDE_DECISION'
  | 'WRONG_PROVIDER'
  | 'LATE_DECLARATION'
  | 'FUTURE_DECLARATION'
  | 'IMPLAUSIBLE_DURATION'
  | 'DOUBLE_DECLARATION'
  | 'CLIENT_OVERLAP'
  | 'DECLARED_NO_SHOW';

/* Dates are YYYY-MM-DD, instants RFC 3339, minutes and cents whole numbers. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Session {
  name: string;
  role: Role;
  municipalities: string[] | null;
  expires_at: string;
  csrf_token: string | null;
  today: string;
}

export interface Dimensions {
  municipalities: string[];
  providers: string[];
  products: { product_category: string; product: string }[];
  laws: Law[];
  models: Model[];
  alert_kinds: AlertKind[];
  anomaly_kinds: AnomalyKind[];
  assignees: string[];
}

export interface Progress {
  as_of: string | null;
  partitions: { topic: string; partition: number; next_offset: number; as_of: string | null }[];
}

export interface AlertWorkflow {
  state: AlertState;
  assignee: string | null;
  acknowledged_by: string | null;
  acknowledged_at: string | null;
  note: string | null;
  snoozed_until: string | null;
  evaluation_reported_at: string | null;
}

export interface AlertPayload {
  allotted_minutes?: number | null;
  used_minutes?: number | null;
  remaining_minutes?: number | null;
  delivered_minutes?: number | null;
  no_show_minutes?: number | null;
  expected_minutes?: number | null;
  ratio_percent?: number | null;
  minimum_minutes?: number | null;
  last_care_on?: string | null;
  period_to?: string | null;
}

/* What the stream sends. */
export interface AlertCore {
  alert_id: string;
  revision: number;
  status: Status;
  kind: AlertKind;
  severity: Severity;
  client: string;
  municipality: string;
  decision: string;
  provider: string;
  segment_from: string | null;
  period_from: string | null;
  threshold: number | null;
  effective_on: string;
  payload: AlertPayload;
  observed_at: string;
}

export interface Alert extends AlertCore {
  product_category: string | null;
  product: string | null;
  law: Law | null;
  model: Model | null;
  workflow: AlertWorkflow;
}

export interface Action {
  action: 'ASSIGN' | 'ACKNOWLEDGE' | 'SNOOZE' | 'EVALUATION' | 'STATE' | 'NOTE';
  value: string | null;
  note: string | null;
  by: string;
  at: string;
}

export interface AlertDetail extends Alert {
  revisions: {
    revision: number;
    status: Status;
    severity: Severity;
    provider: string;
    effective_on: string;
    payload: AlertPayload;
    observed_at: string;
  }[];
  actions: Action[];
}

export interface Case {
  state: CaseState;
  assignee: string | null;
  changed_by: string | null;
  changed_at: string | null;
}

export interface AnomalyPayload {
  first_day?: string | null;
  last_day?: string | null;
  minutes?: number | null;
  staff?: string | null;
  recorded_at?: string | null;
  other?: string | null;
}

/* What the stream sends. */
export interface AnomalyCore {
  anomaly_id: string;
  revision: number;
  status: Status;
  kind: AnomalyKind;
  client: string;
  municipality: string;
  decision: string;
  provider: string;
  subject: string;
  payload: AnomalyPayload;
  observed_at: string;
}

export interface Anomaly extends AnomalyCore {
  case: Case;
}

export interface Evidence {
  role: 'SUBJECT' | 'OTHER';
  topic: 'DECISION' | 'DECLARATION' | 'NO_SHOW';
  subject: string;
  what: string;
  provider: string;
  decision: string;
  first_day: string;
  last_day: string | null;
  started_at: string | null;
  minutes: number | null;
  staff: string | null;
  corrects: string | null;
  recorded_at: string;
  event_id: string;
  /* Of a report of a version: the fields in which those of that version differ. */
  differs: Partial<Record<keyof Decision, string | number | boolean | number[] | null>> | null;
}

export interface AnomalyDetail extends Anomaly {
  revisions: { revision: number; status: Status; provider: string; payload: AnomalyPayload; observed_at: string }[];
  evidence: Evidence[];
  diary: Action[];
}

export interface Decision {
  client: string;
  municipality: string;
  decision: string;
  version: number;
  status: 'ACTIVE' | 'WITHDRAWN';
  law: Law;
  product_category: string;
  product: string;
  care: Care;
  provider: string;
  valid_from: string;
  valid_to: string | null;
  effective_from: string;
  model: Model;
  frequency: Frequency | null;
  volume_minutes: number | null;
  min_minutes: number | null;
  max_minutes: number | null;
  minutes_per_year: number | null;
  minutes_per_week: number | null;
  surplus_minutes: number | null;
  price_cents: number | null;
  expected_minutes_per_week: number | null;
  result: string | null;
  billable_percent: number;
  max_per_month: number | null;
  notice_hours: number;
  counts_to_budget: boolean;
  evaluation_months: number[];
  rate_cents_per_hour: number | null;
  recorded_at: string;
}

/* Of the list of decisions: also the days at which evaluations are due that were not held, ascending. */
export interface ListedDecision extends Decision {
  evaluations_due: string[];
}

export interface Account {
  client: string;
  municipality: string;
  decision: string;
  segment_from: string;
  period_from: string;
  period_to: string | null;
  model: Model;
  allotted_minutes: number | null;
  minimum_minutes: number | null;
  used_minutes: number;
  delivered_minutes: number;
  no_show_minutes: number;
  used_percent: number | null;
  provider: string | null;
  product_category: string | null;
  product: string | null;
  law: Law | null;
}

export interface DecisionDetail {
  client: string;
  municipality: string;
  decision: string;
  versions: Decision[];
  accounts: Account[];
  alerts: Alert[];
}

export interface AggregateRow {
  period_from: string | null;
  municipality?: string;
  provider?: string;
  product_category?: string;
  product?: string;
  law?: Law;
  care?: Care;
  model?: Model;
  clients: number;
  decisions: number;
  delivered_minutes: number;
  no_show_minutes: number;
  used_minutes: number;
  allotted_minutes: number;
  /* Of the delivered minutes those whose price is known, and what these cost. */
  priced_minutes: number;
  cost_cents: number;
}

export type CountRow<D extends string> = { count: number } & Record<D, string | null>;

export interface Token {
  id: number;
  name: string;
  role: Role;
  municipalities: string[] | null;
  created_at: string;
  expires_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
}

export interface TokenWithSecret extends Token {
  secret: string;
}

export interface TokenOrder {
  name: string;
  role: Role;
  municipalities: string[] | null;
  days: number;
}

/* The parameters of the stream. */
export interface WebhookFilter {
  topics?: string;
  kind?: string;
  severity?: string;
  status?: string;
  municipality?: string;
  provider?: string;
  client?: string;
  decision?: string;
}

export type WebhookState = 'ACTIVE' | 'PAUSED' | 'DISABLED' | 'STOPPED';

export interface Webhook {
  id: number;
  name: string;
  url: string;
  filter: WebhookFilter;
  state: WebhookState;
  state_reason: 'BY_HAND' | 'GONE' | 'TOKEN' | null;
  state_at: string;
  token_id: number;
  made_by: string;
  municipalities: string[] | null;
  signals: boolean;
  created_at: string;
  changed_at: string;
  last_delivered_at: string | null;
  failing_since: string | null;
  held_until: string | null;
  behind: boolean;
  gap_at: string | null;
  secrets_until: string | null;
  queued: number;
  oldest_queued_at: string | null;
  failed: number;
}

export interface WebhookWithSecret extends Webhook {
  secret: string;
}

export interface WebhookWish {
  name: string;
  url: string;
  filter: WebhookFilter;
}

export type DeliveryState = 'NEW' | 'WAITING' | 'READY' | 'DELIVERED' | 'FAILED' | 'CANCELLED';

export interface Delivery {
  id: number;
  event_id: string;
  event_type: string;
  municipality: string | null;
  state: DeliveryState;
  queued_at: string;
  due_at: string | null;
  attempts: number;
  first_attempt_at: string | null;
  last_attempt_at: string | null;
  last_status: number | null;
  last_error: string | null;
  last_duration_ms: number | null;
  finished_at: string | null;
}
