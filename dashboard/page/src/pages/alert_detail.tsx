/* One alert: its figures, what was done about it, and how it came to be what it is. */
import { useEffect } from 'preact/hooks';
import { alert as askAlert } from '../api/calls';
import type { AlertDetail, AlertWorkflow } from '../api/types';
import { AlertActions, EvaluationProgress, WorkflowLines } from '../components/alert_actions';
import { AlertDate, useAlertFigures } from '../components/alert_figures';
import { Badge, SeverityBadge } from '../components/badge';
import { DecisionLink } from '../components/decision_link';
import { Diary } from '../components/diary';
import { Dialog } from '../components/dialog';
import { Await } from '../components/states';
import { Table, type Column } from '../components/table';
import { useFormat } from '../format';
import { subscribeLive } from '../live';
import { useLoad } from '../load';
import { alertsTexts } from '../texts/alerts';
import { common } from '../texts/common';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';

type Revision = AlertDetail['revisions'][number];

function Revisions({ alert }: { alert: AlertDetail }) {
  const t = useTexts(alertsTexts);
  const words = useTexts(domain);
  const f = useFormat();
  const figures = useAlertFigures();
  const columns: Column<Revision>[] = [
    { key: 'observed', title: t.observed, head: true, value: (row) => f.instant(row.observed_at) },
    {
      key: 'status',
      title: t.statusLabel,
      value: (row) =>
        row.status === 'OPEN' ? (
          <SeverityBadge severity={row.severity} />
        ) : (
          <Badge tone="good">{words.status.RESOLVED}</Badge>
        ),
    },
    { key: 'when', title: t.when, value: (row) => f.date(row.effective_on) },
    { key: 'figures', title: t.figures, value: (row) => figures({ kind: alert.kind, ...row }) },
  ];
  return (
    <Table caption={t.historyCaption} columns={columns} rows={alert.revisions} rowKey={(row) => String(row.revision)} />
  );
}

function Terms({ alert, asOf }: { alert: AlertDetail; asOf: string }) {
  const t = useTexts(alertsTexts);
  const words = useTexts(domain);
  const shared = useTexts(common);
  const f = useFormat();
  const { period_to } = alert.payload;
  return (
    <dl class="terms">
      <dt>{words.decision}</dt>
      <dd>
        <DecisionLink of={alert} />
      </dd>
      <dt>{words.client}</dt>
      <dd>{alert.client}</dd>
      <dt>{words.provider}</dt>
      <dd>{alert.provider}</dd>
      {alert.product !== null && (
        <>
          <dt>{words.product}</dt>
          <dd>
            {alert.product}
            {alert.law !== null && ` · ${words.law[alert.law]}`}
            {alert.model !== null && ` · ${words.model[alert.model]}`}
          </dd>
        </>
      )}
      {alert.period_from !== null && alert.kind !== 'EVALUATION_DUE' && (
        <>
          <dt>{t.period}</dt>
          <dd>
            {typeof period_to === 'string'
              ? shared.rangeTo(f.date(alert.period_from), f.date(period_to))
              : shared.rangeOpen(f.date(alert.period_from))}
          </dd>
        </>
      )}
      <dt>{t.when}</dt>
      <dd>
        <AlertDate alert={alert} asOf={asOf} />
      </dd>
    </dl>
  );
}

function Content({
  alert,
  asOf,
  changed,
}: {
  alert: AlertDetail;
  asOf: string;
  changed: (workflow: AlertWorkflow) => void;
}) {
  const t = useTexts(alertsTexts);
  const words = useTexts(domain);
  const f = useFormat();
  const figures = useAlertFigures();
  return (
    <div class="stack">
      <div>
        <p class="detail-figures">
          {alert.status === 'OPEN' ? (
            <SeverityBadge severity={alert.severity} />
          ) : (
            <Badge tone="good">{words.status.RESOLVED}</Badge>
          )}{' '}
          {figures(alert)}
          {alert.threshold !== null && <span class="muted"> · {t.threshold(f.percent(alert.threshold / 100))}</span>}
        </p>
        <p class="hint">{t.figuresOf(f.instant(alert.observed_at))}</p>
        <WorkflowLines workflow={alert.workflow} />
        <EvaluationProgress alert={alert} />
      </div>
      <AlertActions alert={alert} changed={changed} />
      <Terms alert={alert} asOf={asOf} />
      <section>
        <h3>{t.done}</h3>
        <Diary actions={alert.actions} />
        <p class="hint">{t.computed}</p>
      </section>
      <section>
        <h3>{t.history}</h3>
        <Revisions alert={alert} />
      </section>
    </div>
  );
}

export function AlertDetailDialog({
  id,
  asOf,
  close,
  changed,
}: {
  id: string;
  asOf: string;
  close: () => void;
  changed: (workflow: AlertWorkflow) => void;
}) {
  const t = useTexts(alertsTexts);
  const words = useTexts(domain);
  const loaded = useLoad(id, (signal) => askAlert(id, signal));
  const { reload } = loaded;
  useEffect(() => subscribeLive({ alert: (alert) => alert.alert_id === id && reload(), gap: reload }), [id, reload]);
  return (
    <Dialog title={loaded.data === null ? t.details : words.alertKind[loaded.data.kind]} close={close} wide>
      <Await of={loaded}>
        {(alert) => (
          <Content
            alert={alert}
            asOf={asOf}
            changed={(workflow) => {
              changed(workflow);
              reload();
            }}
          />
        )}
      </Await>
    </Dialog>
  );
}
