/* The list of decisions, and below its address the decisions themselves. */
import { decisions } from '../api/calls';
import { address } from '../api/client';
import type { Decision } from '../api/types';
import { Badge } from '../components/badge';
import { Filters, useFilterQuery, type Filter } from '../components/filters';
import { PageFrame } from '../components/page';
import { PagedEnd, usePaged } from '../components/paged';
import { Empty, Loading } from '../components/states';
import { CsvLink, Table, type Column } from '../components/table';
import { useCommonFilters } from '../dimensions';
import { useFormat } from '../format';
import { changeQuery, href, useRoute } from '../router';
import { common } from '../texts/common';
import { decisionsTexts } from '../texts/decisions';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';
import { DecisionView } from './decision';
import type { PageProps } from '.';

function useColumns(): Column<Decision>[] {
  const t = useTexts(decisionsTexts);
  const shared = useTexts(common);
  const words = useTexts(domain);
  const f = useFormat();
  return [
    {
      key: 'decision',
      title: words.decision,
      head: true,
      sort: 'decision',
      value: (row) => (
        <>
          <a href={href(['decisions', row.municipality, row.decision], { client: row.client })}>{row.decision}</a>{' '}
          {row.status === 'WITHDRAWN' && <Badge tone="plain">{words.decisionStatus.WITHDRAWN}</Badge>}
        </>
      ),
    },
    { key: 'municipality', title: words.municipality, value: (row) => row.municipality },
    { key: 'client', title: words.client, value: (row) => row.client },
    { key: 'provider', title: words.provider, value: (row) => row.provider },
    { key: 'product', title: words.product, value: (row) => row.product },
    { key: 'law', title: words.lawLabel, value: (row) => words.law[row.law] },
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
  ];
}

function DecisionsList() {
  const t = useTexts(decisionsTexts);
  const words = useTexts(domain);
  const base = useCommonFilters();
  const { query: route } = useRoute();
  const filters: Filter[] = [
    { kind: 'text', name: 'decision', label: words.decision },
    { kind: 'text', name: 'client', label: words.client },
    base.municipality,
    base.provider,
    base.product,
    base.law,
    base.model,
    { kind: 'date', name: 'valid_on', label: t.validOn },
  ];
  const sort = route.get('sort') ?? 'decision';
  const query = { ...useFilterQuery(filters), sort };
  const list = usePaged(JSON.stringify(query), (after, signal) => decisions({ ...query, after, limit: 50 }, signal));
  const columns = useColumns();
  return (
    <PageFrame
      title={t.title}
      lead={t.lead}
      actions={<CsvLink address={address('decisions', { ...query, format: 'csv' })} />}
    >
      <div class="stack">
        <Filters filters={filters} />
        <div class="card" aria-busy={list.loading}>
          {list.rows === null && list.problem === null && <Loading />}
          {list.rows !== null && list.rows.length > 0 && (
            <Table
              caption={t.caption}
              columns={columns}
              rows={list.rows}
              rowKey={(row) => `${row.municipality}/${row.decision}/${row.client}`}
              sort={sort}
              onSort={(next) => changeQuery({ sort: next })}
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
