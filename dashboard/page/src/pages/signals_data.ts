/* The signals' list and groups: what filters mean to the API, orders, and counts by provider and staff. */
import { anomalyCounts } from '../api/calls';
import type { Parameters } from '../api/client';
import type { Anomaly, AnomalyCore, AnomalyKind, CaseState, CountRow } from '../api/types';
import { assigneeName, byObserved, mayBeListed, order, passes } from '../list_query';

export const sorts = ['-observed_at', 'observed_at', 'kind', 'provider'] as const;

export function signalQuery(chosen: Record<string, string>, me: string): Parameters {
  const { assignee, ...rest } = chosen;
  const query: Parameters = { ...rest };
  if (assignee !== undefined) {
    query.assignee = assigneeName(assignee, me);
  }
  return query;
}

/* Whether a signal of the stream can be in the list; what the event does not say the server knows. */
export function mayBelong(query: Parameters, signal: AnomalyCore): boolean {
  return mayBeListed(query, signal) && passes(query, 'staff', signal.payload.staff ?? '');
}

export function comparison(sort: string): (a: Anomaly, b: Anomaly) => number {
  const id = (a: Anomaly, b: Anomaly) => order(a.anomaly_id, b.anomaly_id);
  const seen = (a: Anomaly, b: Anomaly) => byObserved(a, b) || id(a, b);
  const kind = (a: Anomaly, b: Anomaly) => order(a.kind, b.kind) || id(a, b);
  const provider = (a: Anomaly, b: Anomaly) => order(a.provider, b.provider) || id(a, b);
  const upwards = { observed_at: seen, kind, provider }[sort.replace(/^-/, '')] ?? seen;
  return sort.startsWith('-') ? (a, b) => upwards(b, a) : upwards;
}

export function merge(row: Anomaly, core: AnomalyCore): Anomaly | null {
  return core.revision <= row.revision ? null : { ...row, ...core };
}

/* ---- groups ---- */

export interface Tally {
  count: number;
  states: Partial<Record<CaseState, number>>;
  kinds: Partial<Record<AnomalyKind, number>>;
}

export interface StaffGroup extends Tally {
  /* null: signals that name nobody. */
  staff: string | null;
}

export interface ProviderGroup extends Tally {
  provider: string;
  staff: StaffGroup[];
}

export interface Groups {
  providers: ProviderGroup[];
  /* The server left groups out. */
  cut: boolean;
}

/* What the API gives at most. */
const COUNT_ROWS_MAX = 5000;

const emptyTally = (): Tally => ({ count: 0, states: {}, kinds: {} });

function add<K extends string>(counts: Partial<Record<K, number>>, key: K, count: number): void {
  counts[key] = (counts[key] ?? 0) + count;
}

export async function loadGroups(query: Parameters, signal: AbortSignal): Promise<Groups> {
  const [states, kinds] = await Promise.all([
    anomalyCounts(['provider', 'staff', 'state'], query, signal),
    anomalyCounts(['provider', 'staff', 'kind'], query, signal),
  ]);
  const providers = new Map<string, ProviderGroup>();
  const groupsOf = (row: CountRow<'provider' | 'staff'>): [ProviderGroup, StaffGroup] => {
    const name = row.provider ?? '';
    const provider = providers.get(name) ?? { ...emptyTally(), provider: name, staff: [] };
    providers.set(name, provider);
    let staff = provider.staff.find((one) => one.staff === row.staff);
    if (staff === undefined) {
      staff = { ...emptyTally(), staff: row.staff };
      provider.staff.push(staff);
    }
    return [provider, staff];
  };
  for (const row of states) {
    for (const group of groupsOf(row)) {
      group.count += row.count;
      add(group.states, row.state as CaseState, row.count);
    }
  }
  for (const row of kinds) {
    for (const group of groupsOf(row)) {
      add(group.kinds, row.kind as AnomalyKind, row.count);
    }
  }
  const most = (a: Tally, b: Tally) => b.count - a.count;
  const sorted = [...providers.values()].sort((a, b) => most(a, b) || order(a.provider, b.provider));
  sorted.forEach((provider) => provider.staff.sort((a, b) => most(a, b) || order(a.staff ?? '~', b.staff ?? '~')));
  return { providers: sorted, cut: states.length >= COUNT_ROWS_MAX || kinds.length >= COUNT_ROWS_MAX };
}
