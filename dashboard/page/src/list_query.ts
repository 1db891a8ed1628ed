/* What the lists of alerts and of signals have in common: filters in the address, events of the stream, orders. */
import type { Parameters } from './api/client';
import type { AlertCore, AnomalyCore } from './api/types';

/* Who is asked for in the address, where no name begins so. */
export const ME = '@me';
export const NOBODY = '@nobody';

/* The API's parameter for somebody; it takes an empty name for nobody. */
export const assigneeName = (chosen: string, me: string): string =>
  chosen === ME ? me : chosen === NOBODY ? '' : chosen;

export function textOf(query: Parameters, name: string): string | null {
  const value = query[name];
  return value === undefined || value === null ? null : String(value);
}

/* Whether a filter, which may name several values, lets a value through; without one everything passes. */
export const passes = (query: Parameters, name: string, value: string, otherwise: string | null = null): boolean =>
  (textOf(query, name) ?? otherwise)?.split(',').includes(value) ?? true;

/* Whether an event can be in the list by the filters that both lists have; the rest the server knows. */
export function mayBeListed(query: Parameters, event: AlertCore | AnomalyCore): boolean {
  return (
    passes(query, 'status', event.status, 'OPEN') &&
    passes(query, 'kind', event.kind) &&
    passes(query, 'municipality', event.municipality) &&
    passes(query, 'provider', event.provider) &&
    (textOf(query, 'client') ?? event.client) === event.client &&
    event.decision.toLowerCase().includes((textOf(query, 'search') ?? '').toLowerCase())
  );
}

export const order = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

export const byObserved = (a: { observed_at: string }, b: { observed_at: string }): number =>
  order(Date.parse(a.observed_at), Date.parse(b.observed_at));
