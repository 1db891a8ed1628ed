/* What asks for attention today. */
import { alertCounts, progress } from '../api/calls';
import type { AlertKind, Severity } from '../api/types';
import { SeverityBadge } from '../components/badge';
import { PageFrame } from '../components/page';
import { Await, Empty } from '../components/states';
import { Table } from '../components/table';
import { useFormat } from '../format';
import { useLoad } from '../load';
import { common } from '../texts/common';
import { domain } from '../texts/domain';
import { overviewTexts } from '../texts/overview';
import { useTexts } from '../texts/dictionary';

export function OverviewPage() {
  const t = useTexts(overviewTexts);
  const shared = useTexts(common);
  const words = useTexts(domain);
  const f = useFormat();
  const counts = useLoad('counts', (signal) => alertCounts(['kind', 'severity'], {}, signal));
  const state = useLoad('progress', progress);
  const asOf = state.data?.as_of;
  return (
    <PageFrame title={t.title} lead={asOf === null || asOf === undefined ? undefined : shared.asOf(f.dateLong(asOf))}>
      <section class="card">
        <h2>{t.openAlerts}</h2>
        <Await of={counts}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty>{t.none}</Empty>
            ) : (
              <Table
                caption={t.bySeverity}
                rows={rows}
                rowKey={(row) => `${row.kind}/${row.severity}`}
                columns={[
                  { key: 'kind', title: words.kind, head: true, value: (row) => words.alertKind[row.kind as AlertKind] },
                  {
                    key: 'severity',
                    title: words.severityLabel,
                    value: (row) => <SeverityBadge severity={row.severity as Severity} />,
                  },
                  { key: 'count', title: t.count, number: true, value: (row) => f.number(row.count) },
                ]}
              />
            )
          }
        </Await>
      </section>
    </PageFrame>
  );
}
