/* Signals for the people who look into lawfulness: by provider and staff, or as one list. */
import './alerts.css';
import './signals.css';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { anomalies } from '../api/calls';
import { address, type Parameters } from '../api/client';
import type { Anomaly, AnomalyCore, AnomalyKind, Case, CaseState } from '../api/types';
import { Badge, CaseBadge } from '../components/badge';
import { DecisionLink } from '../components/decision_link';
import { Filters, useFilterQuery, type Filter } from '../components/filters';
import { Icon } from '../components/icons';
import { FreshBar, ListSort } from '../components/live_list';
import { LiveTable } from '../components/live_table';
import { PageFrame } from '../components/page';
import { usePaged } from '../components/paged';
import { Await, Empty } from '../components/states';
import { CsvLink, type Column } from '../components/table';
import { statusFilter, useCommonFilters, useDimensions } from '../dimensions';
import { useFormat } from '../format';
import { subscribeLive } from '../live';
import { useLiveRows } from '../live_rows';
import { useLoad } from '../load';
import { changeQuery, useRoute } from '../router';
import { useSession } from '../session';
import { createStore, useStore } from '../store';
import { common } from '../texts/common';
import { domain } from '../texts/domain';
import { signalsTexts } from '../texts/signals';
import { useTexts } from '../texts/dictionary';
import { SignalDetailDialog } from './signal_detail';
import {
  comparison,
  loadGroups,
  mayBelong,
  merge,
  signalQuery,
  sorts,
  type ProviderGroup,
  type StaffGroup,
  type Tally,
} from './signals_data';

const CSV_ROWS_MAX = 100_000;
const STATES: readonly CaseState[] = ['NEW', 'IN_RESEARCH', 'FOUNDED', 'UNFOUNDED'];

/* The case that was changed last, in the dialog; lists that show it change their row. */
const lastChange = createStore<{ id: string; next: Case } | null>(null);

/* ---- filters ---- */

function useSignalFilters(): { filters: Filter[]; more: Filter[] } {
  const t = useTexts(signalsTexts);
  const words = useTexts(domain);
  const base = useCommonFilters();
  const values = useDimensions();
  const kinds = (values?.anomaly_kinds ?? []).map((kind: AnomalyKind) => ({
    value: kind,
    label: words.anomalyKind[kind],
  }));
  return {
    filters: [
      { kind: 'text', name: 'search', label: t.search },
      { kind: 'many', name: 'kind', label: words.kind, options: kinds },
      base.municipality,
      base.provider,
      { kind: 'text', name: 'staff', label: t.staff },
      {
        kind: 'many',
        name: 'state',
        label: t.state,
        options: STATES.map((state) => ({ value: state, label: words.caseState[state] })),
      },
      base.assignee,
    ],
    more: [statusFilter(t), base.client],
  };
}

/* ---- a list of signals ---- */

const rowId = (id: string) => `signal-${id}`;

function useColumns(marked: ReadonlySet<string>, grouped: boolean): Column<Anomaly>[] {
  const t = useTexts(signalsTexts);
  const words = useTexts(domain);
  const f = useFormat();
  const columns: Column<Anomaly>[] = [
    {
      key: 'kind',
      title: words.kind,
      head: true,
      sort: 'kind',
      value: (row) => (
        <span>
          <button
            type="button"
            id={rowId(row.anomaly_id)}
            class="link"
            onClick={() => changeQuery({ signal: row.anomaly_id })}
          >
            {words.anomalyKind[row.kind]}
          </button>{' '}
          {row.status === 'RESOLVED' && <Badge tone="plain">{t.gone}</Badge>}
          {row.status === 'OPEN' && marked.has(row.anomaly_id) && <Badge tone="info">{t.changed}</Badge>}
        </span>
      ),
    },
    {
      key: 'state',
      title: t.state,
      value: (row) => (
        <span class="two-lines">
          <CaseBadge state={row.case.state} />
          {row.case.assignee !== null && <span class="hint">{t.with(row.case.assignee)}</span>}
        </span>
      ),
    },
    {
      key: 'decision',
      title: words.decision,
      long: true,
      value: (row) => (
        <span class="two-lines">
          <DecisionLink of={row} />
          <span class="hint">{row.client}</span>
        </span>
      ),
    },
    {
      key: 'day',
      title: t.day,
      value: (row) => (typeof row.payload.first_day === 'string' ? f.date(row.payload.first_day) : '–'),
    },
    {
      key: 'minutes',
      title: t.duration,
      value: (row) => (typeof row.payload.minutes === 'number' ? t.minutes(f.number(row.payload.minutes)) : '–'),
    },
    { key: 'observed', title: t.observed, sort: 'observed_at', value: (row) => f.instant(row.observed_at) },
  ];
  if (!grouped) {
    columns.splice(2, 0, {
      key: 'provider',
      title: words.provider,
      sort: 'provider',
      long: true,
      value: (row) => (
        <span class="two-lines">
          <span>{row.provider}</span>
          <span class="hint">{row.payload.staff ?? t.noStaff}</span>
        </span>
      ),
    });
  }
  return columns;
}

/* In a group the list has no order of its own to choose. */
function SignalList({ query, sort, grouped }: { query: Parameters; sort: string; grouped: boolean }) {
  const t = useTexts(signalsTexts);
  const f = useFormat();
  const key = JSON.stringify([query, sort]);
  const list = usePaged(
    key,
    (after, signal) => anomalies({ ...query, sort, after, limit: grouped ? 20 : 50 }, signal),
    (row) => row.anomaly_id,
  );
  const live = useLiveRows({
    key,
    list,
    listen: (take: (core: AnomalyCore) => void) => ({ anomaly: take }),
    idOf: (signal) => signal.anomaly_id,
    merge,
    mayBelong: (signal) => mayBelong(query, signal),
    ask: async (ids, signal) =>
      (await anomalies({ ...query, anomaly_id: ids.join(','), limit: ids.length }, signal)).items,
    compare: comparison(sort),
  });
  const change = useStore(lastChange);
  useEffect(() => {
    if (change !== null) {
      list.update((rows) => rows.map((row) => (row.anomaly_id === change.id ? { ...row, case: change.next } : row)));
    }
  }, [change]);
  const columns = useColumns(live.marked, grouped);
  return (
    <div class="live-rows" aria-busy={list.loading}>
      <LiveTable
        list={list}
        live={live}
        caption={t.caption}
        columns={columns}
        idOf={(row) => row.anomaly_id}
        elementId={rowId}
        isDone={(row) => row.status === 'RESOLVED'}
        fresh={t.fresh(f.number(live.waiting))}
        empty={t.empty}
        {...(grouped ? {} : { sort, onSort: (next: string) => changeQuery({ sort: next }) })}
      />
    </div>
  );
}

/* ---- groups ---- */

function TallyLine({ tally }: { tally: Tally }) {
  const words = useTexts(domain);
  const f = useFormat();
  const kinds = (Object.entries(tally.kinds) as [AnomalyKind, number][]).sort((a, b) => b[1] - a[1]);
  return (
    <span class="tally">
      <span class="tally-states">
        {STATES.filter((state) => (tally.states[state] ?? 0) > 0).map((state) => (
          <CaseBadge key={state} state={state} count={f.number(tally.states[state] ?? 0)} />
        ))}
      </span>
      <span class="hint">
        {kinds
          .slice(0, 3)
          .map(([kind, count]) => `${words.anomalyKind[kind]} ${f.number(count)}`)
          .join(' · ')}
        {kinds.length > 3 && ' · …'}
      </span>
    </span>
  );
}

/* A heading that unfolds what is below it. */
function Fold({
  level,
  title,
  tally,
  children,
}: {
  level: 'h2' | 'h3';
  title: string;
  tally: Tally;
  children: () => ComponentChildren;
}) {
  const t = useTexts(signalsTexts);
  const f = useFormat();
  const id = useId();
  const [open, setOpen] = useState(false);
  const Heading = level;
  return (
    <section class={`fold fold-${level}`}>
      <div class="fold-head">
        <Heading>
          <button
            type="button"
            class="fold-button"
            aria-expanded={open}
            aria-controls={id}
            onClick={() => setOpen(!open)}
          >
            <Icon name={open ? 'chevron' : 'right'} />
            <span>
              {title} <span class="fold-count">{t.count(f.number(tally.count))}</span>
            </span>
          </button>
        </Heading>
        <TallyLine tally={tally} />
      </div>
      <div id={id}>{open && <div class="fold-body">{children()}</div>}</div>
    </section>
  );
}

function Provider({ group, query }: { group: ProviderGroup; query: Parameters }) {
  const t = useTexts(signalsTexts);
  const words = useTexts(domain);
  const staffTitle = (staff: StaffGroup) => staff.staff ?? t.noStaff;
  return (
    <Fold level="h2" title={`${words.provider} ${group.provider}`} tally={group}>
      {() =>
        group.staff.map((staff) => (
          <Fold key={staff.staff ?? ''} level="h3" title={staffTitle(staff)} tally={staff}>
            {() => (
              <SignalList
                query={{ ...query, provider: group.provider, staff: staff.staff ?? '' }}
                sort="-observed_at"
                grouped
              />
            )}
          </Fold>
        ))
      }
    </Fold>
  );
}

function GroupView({ query }: { query: Parameters }) {
  const t = useTexts(signalsTexts);
  const shared = useTexts(common);
  const key = JSON.stringify(query);
  const groups = useLoad(key, (signal) => loadGroups(query, signal));
  const [changed, setChanged] = useState(false);
  useEffect(() => {
    setChanged(false);
    return subscribeLive({
      anomaly: (signal) => setChanged((before) => before || mayBelong(query, signal)),
      gap: () => setChanged(true),
    });
  }, [key]);
  const change = useStore(lastChange);
  useEffect(() => {
    if (change !== null) {
      groups.reload();
    }
  }, [change]);
  return (
    <>
      <FreshBar
        text={changed ? t.changedGroups : ''}
        action={shared.loadAgain}
        run={() => {
          setChanged(false);
          groups.reload();
        }}
      />
      <Await of={groups}>
        {({ providers, cut }) => (
          <>
            {providers.length === 0 && <Empty>{t.empty}</Empty>}
            {providers.map((group) => (
              <Provider key={group.provider} group={group} query={query} />
            ))}
            {cut && <p class="note note-warning">{t.tooManyGroups}</p>}
          </>
        )}
      </Await>
    </>
  );
}

/* ---- the page ---- */

export function SignalsPage() {
  const t = useTexts(signalsTexts);
  const words = useTexts(domain);
  const session = useSession();
  const { query: route } = useRoute();
  const { filters, more } = useSignalFilters();
  const query = signalQuery(useFilterQuery([...filters, ...more]), session.name);
  const asList = route.get('view') === 'list';
  const sort = route.get('sort') ?? '-observed_at';
  const opened = route.get('signal');
  return (
    <PageFrame
      title={t.title}
      lead={words.provesNothing}
      actions={<CsvLink address={address('anomalies', { ...query, sort, format: 'csv', limit: CSV_ROWS_MAX })} />}
    >
      <div class="stack">
        <Filters filters={filters} more={more} />
        <div class="card">
          <div class="list-head">
            <div class="segmented" role="group" aria-label={t.view}>
              <button type="button" aria-pressed={!asList} onClick={() => changeQuery({ view: null })}>
                {t.byProvider}
              </button>
              <button type="button" aria-pressed={asList} onClick={() => changeQuery({ view: 'list' })}>
                {t.asList}
              </button>
            </div>
            {asList && <ListSort sort={sort} options={sorts.map((value) => ({ value, label: t.sorts[value] }))} />}
          </div>
          {asList ? <SignalList query={query} sort={sort} grouped={false} /> : <GroupView query={query} />}
        </div>
      </div>
      {opened !== null && opened !== '' && (
        <SignalDetailDialog
          key={opened}
          id={opened}
          close={() => changeQuery({ signal: null })}
          changed={(next) => lastChange.set({ id: opened, next })}
        />
      )}
    </PageFrame>
  );
}
