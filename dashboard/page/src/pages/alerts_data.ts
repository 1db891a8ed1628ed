/* The alerts' list: what its filters mean to the API, and its order. */
import type { Parameters } from '../api/client';
import type { Alert, AlertCore, Severity } from '../api/types';
import { assigneeName, byObserved, mayBeListed, order, passes, textOf } from '../list_query';

export type AlertSort = '-severity' | 'severity' | 'effective_on' | '-effective_on' | 'observed_at' | '-observed_at';
export const sorts: readonly AlertSort[] = ['-severity', 'effective_on', '-effective_on', '-observed_at'];

/* Values of the filter `state` beside the API's. */
export const ANY_STATE = 'ANY';
export const NOT_SNOOZED = 'NEW,ASSIGNED,ACKNOWLEDGED';

/* The API's parameters for the filters in the address. */
export function alertQuery(chosen: Record<string, string>, me: string): Parameters {
  const { state, assignee, ...rest } = chosen;
  const query: Parameters = { ...rest };
  if (state !== ANY_STATE) {
    query.state = state ?? NOT_SNOOZED;
  }
  if (assignee !== undefined) {
    query.assignee = assigneeName(assignee, me);
  }
  return query;
}

/* Whether an alert of the stream can be in the list, as far as the event says; the rest the server knows. */
export function mayBelong(query: Parameters, alert: AlertCore): boolean {
  const { effective_on: on } = alert;
  return (
    mayBeListed(query, alert) &&
    passes(query, 'severity', alert.severity) &&
    (textOf(query, 'effective_from') ?? on) <= on &&
    (textOf(query, 'effective_to') ?? on) >= on
  );
}

/* Whether an alert of the stream can have come into the list or left it. */
export function mayConcern(query: Parameters, alert: AlertCore): boolean {
  // These change from revision to revision.
  const { status, severity, provider, effective_from, effective_to, ...lasting } = query;
  return mayBelong({ ...lasting, status: alert.status }, alert);
}

const RANK: Record<Severity, number> = { INFO: 0, WARNING: 1, CRITICAL: 2 };

/* The server's order. */
export function comparison(sort: string): (a: Alert, b: Alert) => number {
  const id = (a: Alert, b: Alert) => order(a.alert_id, b.alert_id);
  const due = (a: Alert, b: Alert) => order(a.effective_on, b.effective_on) || id(a, b);
  const seen = (a: Alert, b: Alert) => byObserved(a, b) || id(a, b);
  switch (sort) {
    case 'severity':
      return (a, b) => order(RANK[a.severity], RANK[b.severity]) || due(a, b);
    case 'effective_on':
      return due;
    case '-effective_on':
      return (a, b) => due(b, a);
    case 'observed_at':
      return seen;
    case '-observed_at':
      return (a, b) => seen(b, a);
    default:
      return (a, b) => order(RANK[b.severity], RANK[a.severity]) || due(a, b);
  }
}

/* The row as it is after an event of the stream. What was seen was seen of the revision before. */
export function merge(row: Alert, core: AlertCore): Alert | null {
  if (core.revision <= row.revision) {
    return null;
  }
  const { workflow } = row;
  const state = workflow.state !== 'ACKNOWLEDGED' ? workflow.state : workflow.assignee === null ? 'NEW' : 'ASSIGNED';
  return { ...row, ...core, workflow: { ...workflow, state } };
}
