/* The list of decisions, and below its address the decisions themselves. */
import { decisionCounts, decisions, progress } from '../api/calls';
import { address, type Parameters } from '../api/client';
import type { ListedDecision } from '../api/types';
import { Badge } from '../components/badge';
import { Filters, useFilterQuery, type Filter } from '../components/filters';
import { PageFrame } from '../components/page';
import { PagedEnd, usePaged } from '../components/paged';
import { Empty, Loading } from '../components/states';
import { CsvLink, Table, type Column } from '../components/table';
import { useCommonFilters } from '../dimensions';
import { addMonths, useFormat } from '../format';
import { useLoad } from '../load';
import { changeQuery, href, useRoute } from '../router';
import { useSession } from '../session';
import { common } from '../texts/common';
import { decisionsTexts } from '../texts/decisions';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';
import { DecisionView } from './decision';
import type { PageProps } from '.';

/* As many months can be chosen, from the one before the last on. */
const MONTHS = 15;

/* The first evaluation that was not held, and that of the month which was chosen where it is another. */
function Dues({ row, asOf, month }: { row: ListedDecision; asOf: string; month: string | undefined }) {
  const t = useTexts(decisionsTexts);
  const f = useFormat();
  const [first] = row.evaluations_due;
  if (first === undefined) {
    return <span class="muted">–</span>;
  }
  const chosen = row.evaluations_due.find((due) => due.slice(0, 7) === month?.slice(0, 7));
  return (
    <span class="two-lines">
      <span class="nowrap">
        {f.date(first)} {first < asOf && <Badge tone="critical">{t.late}</Badge>}
      </span>
      {chosen !== undefined && chosen !== first && <span class="nowrap">{t.and(f.date(chosen))}</span>}
    </span>
  );
}

function Total({ query }: { query: Parameters }) {
  const t = useTexts(decisionsTexts);
  const f = useFormat();
  const counts = useLoad(JSON.stringify(query), (signal) => decisionCounts(['law'], query, signal));
  const total = counts.data?.reduce((sum, row) => sum + row.count, 0);
  return (
    <p class="list-total" role="status">
      <strong>{total === undefined ? '\u00a0' : t.total(f.number(total))}</strong>
    </p>
  );
}

function useColumns(asOf: string, month: string | undefined): Column<ListedDecision>[] {
  const t = useTexts(decisionsTexts);
  const shared = useTexts(common);
  const words = useTexts(domain);
  const f = useFormat();
  return [
    {
      key: 'decision',
      title: words.decision,
      head: true,
      long: true,
      sort: 'decision',
      value: (row) => (
        <>
          <a href={href(['decisions', row.municipality, row.decision], { client: row.client })}>{row.decision}</a>{' '}
          {row.status === 'WITHDRAWN' && <Badge tone="plain">{words.decisionStatus.WITHDRAWN}</Badge>}
        </>
      ),
    },
    { key: 'municipality', title: words.municipality, value: (row) => row.municipality },
    { key: 'client', title: words.client, long: true, value: (row) => row.client },
    { key: 'provider', title: words.provider, value: (row) => row.provider },
    {
      key: 'product',
      title: words.product,
      value: (row) => (
        <span class="two-lines">
          <span>{row.product}</span>
          <span class="hint">{words.law[row.law]}</span>
        </span>
      ),
    },
    { key: 'model', title: words.modelLabel, value: (row) => words.model[row.model] },
    {
      key: 'valid',
      title: t.valid,
      sort: 'valid_from',
      value: (row) =>
        row.valid_to === null
          ? shared.rangeOpen(f.date(row.valid_from))
          : shared.rangeTo(f.date(row.valid_from), f.date(row.valid_to)),
    },
    {
      key: 'due',
      title: t.due,
      sort: 'evaluation_due',
      value: (row) => <Dues row={row} asOf={asOf} month={month} />,
    },
  ];
}

function DecisionsList() {
  const t = useTexts(decisionsTexts);
  const words = useTexts(domain);
  const f = useFormat();
  const base = useCommonFilters();
  const { query: route } = useRoute();
  const { today } = useSession();
  const state = useLoad('progress', progress);
  const asOf = state.data?.as_of ?? today;
  const month = route.get('evaluation_month') ?? '';
  const months = Array.from({ length: MONTHS }, (_, index) => addMonths(asOf, index - 2));
  const filters: Filter[] = [
    { kind: 'text', name: 'search', label: t.search },
    { kind: 'text', name: 'client', label: words.client },
    base.municipality,
    base.provider,
    base.product,
    base.law,
    base.model,
    {
      kind: 'one',
      name: 'evaluation_month',
      label: t.month,
      options: [...new Set([...months, ...(month === '' ? [] : [month])])]
        .sort()
        .map((value) => ({ value, label: f.month(value) })),
    },
    { kind: 'date', name: 'valid_on', label: t.validOn },
  ];
  const sort = route.get('sort') ?? 'decision';
  const chosen = useFilterQuery(filters);
  const query = { ...chosen, sort };
  const list = usePaged(JSON.stringify(query), (after, signal) => decisions({ ...query, after, limit: 50 }, signal));
  const columns = useColumns(asOf, chosen.evaluation_month);
  // The days that come first are what somebody wants who sorts by them.
  const onSort = (next: string) =>
    changeQuery({ sort: next === '-evaluation_due' && sort !== 'evaluation_due' ? 'evaluation_due' : next });
  return (
    <PageFrame
      title={t.title}
      lead={t.lead}
      actions={<CsvLink address={address('decisions', { ...query, format: 'csv' })} />}
    >
      <div class="stack">
        <Filters filters={filters} />
        <div class="card" aria-busy={list.loading}>
          <div class="list-head">
            <Total query={chosen} />
          </div>
          {list.rows === null && list.problem === null && <Loading />}
          {list.rows !== null && list.rows.length > 0 && (
            <Table
              caption={t.caption}
              columns={columns}
              rows={list.rows}
              rowKey={(row) => `${row.municipality}/${row.decision}/${row.client}`}
              sort={sort}
              onSort={onSort}
            />
          )}
          {list.rows?.length === 0 && <Empty>{t.empty}</Empty>}
          <PagedEnd list={list} />
        </div>
      </div>
    </PageFrame>
  );
}

export function DecisionsPage({ rest }: PageProps) {
  const [municipality, decision] = rest;
  return municipality !== undefined && decision !== undefined ? (
    <DecisionView municipality={municipality} decision={decision} />
  ) : (
    <DecisionsList />
  );
}
