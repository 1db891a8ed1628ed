/* Alerts: a live list, with what people do about each. */
import './alerts.css';
import { useEffect, useState } from 'preact/hooks';
import { alertCounts, alerts, progress } from '../api/calls';
import { address, type Parameters } from '../api/client';
import type { Alert, AlertKind, AlertState, AlertWorkflow, Severity } from '../api/types';
import {
  alertActions,
  AlertForm,
  EvaluationProgress,
  useEndSnooze,
  WorkflowLines,
  type AlertAction,
} from '../components/alert_actions';
import { AlertDate, useAlertFigures, useFiguresDate } from '../components/alert_figures';
import { Badge, SeverityBadge } from '../components/badge';
import { decisionHref, DecisionLink } from '../components/decision_link';
import { Filters, useFilterQuery, type Filter } from '../components/filters';
import { ListSort } from '../components/live_list';
import { LiveTable } from '../components/live_table';
import { Menu, type MenuItem } from '../components/menu';
import { PageFrame } from '../components/page';
import { usePaged, type Paged } from '../components/paged';
import { CsvLink, type Column } from '../components/table';
import { statusFilter, useCommonFilters, useDimensions } from '../dimensions';
import { useFormat } from '../format';
import { subscribeLive } from '../live';
import { useLiveRows } from '../live_rows';
import { useLoad } from '../load';
import { changeQuery, useRoute } from '../router';
import { mayActOnAlerts, useSession } from '../session';
import { useSoon } from '../soon';
import { alertActionTexts } from '../texts/alert_actions';
import { alertsTexts } from '../texts/alerts';
import { common } from '../texts/common';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';
import { AlertDetailDialog } from './alert_detail';
import { alertQuery, ANY_STATE, comparison, mayBelong, mayConcern, merge, sorts } from './alerts_data';

const CSV_ROWS_MAX = 100_000;

/* ---- filters ---- */

function useAlertFilters(): { filters: Filter[]; more: Filter[] } {
  const t = useTexts(alertsTexts);
  const words = useTexts(domain);
  const base = useCommonFilters();
  const values = useDimensions();
  const named = <K extends string>(codes: readonly K[], names: Record<K, string>) =>
    codes.map((value) => ({ value, label: names[value] }));
  return {
    filters: [
      { kind: 'text', name: 'search', label: t.search },
      {
        kind: 'many',
        name: 'kind',
        label: words.kind,
        options: named<AlertKind>(values?.alert_kinds ?? [], words.alertKind),
      },
      {
        kind: 'many',
        name: 'severity',
        label: words.severityLabel,
        options: named<Severity>(['CRITICAL', 'WARNING', 'INFO'], words.severity),
      },
      base.municipality,
      base.provider,
      base.assignee,
      {
        kind: 'one',
        name: 'state',
        label: t.state,
        otherwise: t.stateDefault,
        options: [
          ...named<AlertState>(['NEW', 'ASSIGNED', 'ACKNOWLEDGED', 'SNOOZED'], words.alertState),
          { value: ANY_STATE, label: t.stateAny },
        ],
      },
    ],
    more: [
      statusFilter(t),
      base.product,
      base.law,
      base.model,
      base.client,
      { kind: 'date', name: 'effective_from', label: t.effectiveFrom },
      { kind: 'date', name: 'effective_to', label: t.effectiveTo },
      { kind: 'date', name: 'valid_on', label: t.validOn },
      { kind: 'date', name: 'active_on', label: t.activeOn },
    ],
  };
}

/* ---- rows ---- */

type Change = (id: string, workflow: AlertWorkflow) => void;

function RowActions({ alert, changed, open }: { alert: Alert; changed: Change; open: () => void }) {
  const t = useTexts(alertsTexts);
  const words = useTexts(domain);
  const actions = useTexts(alertActionTexts);
  const session = useSession();
  const endSnooze = useEndSnooze();
  const [form, setForm] = useState<Exclude<AlertAction, 'snoozeEnd'> | null>(null);
  const change = (workflow: AlertWorkflow) => changed(alert.alert_id, workflow);
  const items: MenuItem[] = mayActOnAlerts(session)
    ? alertActions(alert).map((action) => ({
        key: action,
        label: actions[action],
        run: () => (action === 'snoozeEnd' ? endSnooze(alert, change) : setForm(action)),
      }))
    : [];
  items.push(
    { key: 'details', label: t.details, run: open },
    {
      key: 'decision',
      label: t.openDecision,
      run: () => {
        window.location.hash = decisionHref(alert);
      },
    },
  );
  return (
    <>
      <Menu label={t.actions} name={t.about(words.alertKind[alert.kind], alert.decision)} items={items} />
      {form !== null && <AlertForm action={form} alert={alert} changed={change} close={() => setForm(null)} />}
    </>
  );
}

const rowId = (id: string) => `alert-${id}`;

function useColumns(asOf: string, marked: ReadonlySet<string>, changed: Change): Column<Alert>[] {
  const t = useTexts(alertsTexts);
  const words = useTexts(domain);
  const figures = useAlertFigures();
  const figuresDate = useFiguresDate();
  const open = (alert: Alert) => changeQuery({ alert: alert.alert_id });
  return [
    {
      key: 'severity',
      title: words.severityLabel,
      sort: 'severity',
      value: (row) => <SeverityBadge severity={row.severity} />,
    },
    {
      key: 'kind',
      title: words.kind,
      head: true,
      value: (row) => (
        <span class="two-lines">
          <span>
            <button type="button" id={rowId(row.alert_id)} class="link" onClick={() => open(row)}>
              {words.alertKind[row.kind]}
            </button>{' '}
            {row.status === 'RESOLVED' && <Badge tone="good">{words.status.RESOLVED}</Badge>}
            {row.status === 'OPEN' && marked.has(row.alert_id) && <Badge tone="info">{t.changed}</Badge>}
          </span>
          <span class="hint">
            {[figures(row), figuresDate(row, asOf)].filter((text) => text !== null && text !== '').join(' · ')}
          </span>
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
      key: 'provider',
      title: words.provider,
      value: (row) => (
        <span class="two-lines">
          <span>{row.provider}</span>
          <span class="hint">
            {[row.product, row.model === null ? null : words.model[row.model]]
              .filter((text) => text !== null)
              .join(' · ')}
          </span>
        </span>
      ),
    },
    { key: 'when', title: t.when, sort: 'effective_on', value: (row) => <AlertDate alert={row} asOf={asOf} /> },
    {
      key: 'handling',
      title: t.handling,
      long: true,
      value: (row) => (
        <div>
          {row.workflow.state === 'NEW' && row.status === 'OPEN' && <Badge tone="plain">{words.alertState.NEW}</Badge>}
          <WorkflowLines workflow={row.workflow} />
          <EvaluationProgress alert={row} />
        </div>
      ),
    },
    {
      key: 'actions',
      title: t.actions,
      value: (row) => <RowActions alert={row} changed={changed} open={() => open(row)} />,
    },
  ];
}

/* ---- the list ---- */

function Totals({ query, turn }: { query: Parameters; turn: number }) {
  const t = useTexts(alertsTexts);
  const shared = useTexts(common);
  const f = useFormat();
  const hidesSnoozed = (useRoute().query.get('state') ?? '') === '';
  const asked: Parameters = { ...query, state: hidesSnoozed ? null : query.state };
  const counts = useLoad(JSON.stringify([asked, turn]), (signal) => alertCounts(['state'], asked, signal));
  const sum = (wanted: (state: string | null) => boolean) =>
    (counts.data ?? []).filter((row) => wanted(row.state)).reduce((total, row) => total + row.count, 0);
  const snoozed = hidesSnoozed ? sum((state) => state === 'SNOOZED') : 0;
  const total = sum((state) => !hidesSnoozed || state !== 'SNOOZED');
  if (counts.data === null) {
    return <p class="muted">{'\u00a0'}</p>;
  }
  return (
    <p class="list-total" role="status">
      <strong>{t.total(f.number(total))}</strong>
      {snoozed > 0 && (
        <span class="muted">
          {' · '}
          {t.snoozedHidden(f.number(snoozed))}{' '}
          <button type="button" class="link" onClick={() => changeQuery({ state: ANY_STATE })}>
            {shared.show}
          </button>
        </span>
      )}
      {total > CSV_ROWS_MAX && <span class="hint"> {t.csvLimit(f.number(CSV_ROWS_MAX))}</span>}
    </p>
  );
}

interface ListProps {
  asOf: string;
  list: Paged<Alert>;
  query: Parameters;
  sort: string;
  listKey: string;
}

function AlertList({ asOf, list, query, sort, listKey }: ListProps) {
  const t = useTexts(alertsTexts);
  const f = useFormat();
  const [turn, setTurn] = useState(0);
  const live = useLiveRows({
    key: listKey,
    list,
    listen: (take) => ({ alert: take }),
    idOf: (alert) => alert.alert_id,
    merge,
    mayBelong: (alert) => mayBelong(query, alert),
    ask: async (ids, signal) => (await alerts({ ...query, alert_id: ids.join(','), limit: ids.length }, signal)).items,
    compare: comparison(sort),
  });
  const count = () => setTurn((before) => before + 1);
  const changed: Change = (id, workflow) => {
    list.update((rows) => rows.map((row) => (row.alert_id === id ? { ...row, workflow } : row)));
    // What was snoozed counts no longer, and what was taken back counts again.
    count();
  };
  // Those that are not shown count as well, and what counts no longer is told as all else.
  const recount = useSoon(count);
  useEffect(() => subscribeLive({ alert: (alert) => mayConcern(query, alert) && recount(), gap: recount }), [listKey]);
  const columns = useColumns(asOf, live.marked, changed);
  return (
    <div class="card live-rows" aria-busy={list.loading}>
      <LiveTable
        list={list}
        live={live}
        caption={t.caption}
        columns={columns}
        idOf={(row) => row.alert_id}
        elementId={rowId}
        isDone={(row) => row.status === 'RESOLVED' || row.workflow.state === 'SNOOZED'}
        fresh={t.fresh(f.number(live.waiting))}
        empty={t.empty}
        shown={count}
        sort={sort}
        onSort={(next) => changeQuery({ sort: next === 'severity' ? '-severity' : next })}
      >
        <div class="list-head">
          <Totals query={query} turn={turn} />
          <ListSort sort={sort} options={sorts.map((value) => ({ value, label: t.sorts[value] }))} />
        </div>
      </LiveTable>
    </div>
  );
}

export function AlertsPage() {
  const t = useTexts(alertsTexts);
  const session = useSession();
  const { query: route } = useRoute();
  const { filters, more } = useAlertFilters();
  const query = alertQuery(useFilterQuery([...filters, ...more]), session.name);
  const sort = route.get('sort') ?? '-severity';
  const listKey = JSON.stringify([query, sort]);
  const list = usePaged(
    listKey,
    (after, signal) => alerts({ ...query, sort, after, limit: 50 }, signal),
    (row) => row.alert_id,
  );
  const state = useLoad('progress', progress);
  const asOf = state.data?.as_of ?? session.today;
  const opened = route.get('alert');
  return (
    <PageFrame
      title={t.title}
      lead={t.lead}
      actions={<CsvLink address={address('alerts', { ...query, sort, format: 'csv', limit: CSV_ROWS_MAX })} />}
    >
      <div class="stack">
        <Filters filters={filters} more={more} />
        <AlertList asOf={asOf} list={list} query={query} sort={sort} listKey={listKey} />
      </div>
      {opened !== null && opened !== '' && (
        <AlertDetailDialog
          key={opened}
          id={opened}
          asOf={asOf}
          close={() => changeQuery({ alert: null })}
          changed={(workflow) =>
            list.update((rows) => rows.map((row) => (row.alert_id === opened ? { ...row, workflow } : row)))
          }
        />
      )}
    </PageFrame>
  );
}
