/* How a decision stands, its alerts, evaluations and versions. */
import { useState } from 'preact/hooks';
import type { Explanation, ExplainedAlert, ExplainedVersion, Terms } from '../api/explanation';
import type { Alert, AlertWorkflow, DecisionDetail, Outcome } from '../api/types';
import { AlertActions, EvaluationProgress, WorkflowLines } from '../components/alert_actions';
import { Badge, SeverityBadge, type Tone } from '../components/badge';
import { Empty } from '../components/states';
import { Table } from '../components/table';
import { dayNumber, useFormat } from '../format';
import { href } from '../router';
import { common } from '../texts/common';
import { decisionTexts } from '../texts/decision';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';
import {
  evaluationDues,
  extentOf,
  modelOf,
  project,
  segmentOn,
  sumsOf,
  weeklyNorm,
  type Due,
  type Pool,
  type Projection,
  type WeekSum,
} from './decision_model';

/* ---- the pool now ---- */

export function useTermsWords(): (terms: Terms) => string {
  const t = useTexts(decisionTexts).termsWords;
  const words = useTexts(domain);
  const f = useFormat();
  return (terms) => {
    if ('Pxq' in terms) {
      return t.pxq(f.hoursUnit(terms.Pxq.volume_minutes), words.frequency[terms.Pxq.frequency]);
    }
    if ('Bandwidth' in terms) {
      const { min_minutes: least, max_minutes: most, per } = terms.Bandwidth;
      return t.bandwidth(f.hours(least), f.hoursUnit(most), words.frequency[per]);
    }
    if ('YearBudget' in terms) {
      return t.yearBudget(f.hoursUnit(terms.YearBudget.minutes_per_year));
    }
    if ('FixedPlusSurplus' in terms) {
      const { minutes_per_week: fixed, surplus_minutes: surplus } = terms.FixedPlusSurplus;
      return t.fixed(f.hoursUnit(fixed), f.hoursUnit(surplus));
    }
    if ('Result' in terms) {
      const { result, price_cents: price, expected_minutes_per_week: expected } = terms.Result;
      const base = t.result(result, f.euro(price));
      return expected === null ? base : `${base}, ${t.resultExpected(f.hoursUnit(expected))}`;
    }
    return t.task;
  };
}

function Meter({ share, elapsed, tone }: { share: number; elapsed: number | null; tone: Tone }) {
  const t = useTexts(decisionTexts);
  const f = useFormat();
  // Beyond the pool the bar is full and its end marks where the pool ended.
  const full = Math.max(1, share);
  return (
    <div class="meter-block">
      <div class={`meter meter-${tone}`} aria-hidden="true">
        <span class="meter-bar" style={{ width: `${(100 * share) / full}%` }} />
        {share > 1 && <span class="meter-limit" style={{ left: `${100 / full}%` }} />}
        {elapsed !== null && (
          <span class="meter-time" style={{ left: `${(100 * Math.min(1, elapsed)) / full}%` }} title={t.elapsedMark} />
        )}
      </div>
      <p class="meter-text">
        <span>{t.usedPercent(f.percent(share))}</span>
        {elapsed !== null && <span>{t.elapsedPercent(f.percent(Math.min(1, elapsed)))}</span>}
      </p>
    </div>
  );
}

function useOutlookText(
  alerts: readonly ExplainedAlert[],
): (pool: Pool, projection: Projection) => { text: string; tone: Tone } {
  const t = useTexts(decisionTexts);
  const f = useFormat();
  return (pool, { outlook }) => {
    switch (outlook.is) {
      case 'exhausted': {
        const since = alerts.find(
          (alert) => alert.kind.endsWith('_EXHAUSTED') && alert.period_from === pool.period.period_from,
        )?.effective_on;
        return {
          text: since === undefined ? t.outlook.exhausted : t.outlook.exhaustedSince(f.date(since)),
          tone: 'critical',
        };
      }
      case 'early':
        return { text: t.outlook.early, tone: 'plain' };
      case 'short': {
        if (pool.period.period_to === null) {
          return { text: t.outlook.shortOpen(f.date(outlook.on)), tone: 'plain' };
        }
        const days = dayNumber(pool.period.period_to) - dayNumber(outlook.on) + 1;
        const early = days < 14 ? t.daysEarly(days) : t.weeksEarly(Math.floor(days / 7));
        return { text: t.outlook.short(f.date(outlook.on), early), tone: 'warning' };
      }
      case 'enough':
        return { text: t.outlook.enough(f.hoursUnit(outlook.left), f.date(pool.period.period_to ?? '')), tone: 'good' };
    }
  };
}

function PoolNow({ explanation, pool }: { explanation: Explanation; pool: Pool | null }) {
  const t = useTexts(decisionTexts);
  const shared = useTexts(common);
  const f = useFormat();
  const words = useTexts(domain);
  const termsWords = useTermsWords();
  const outlookText = useOutlookText(explanation.alerts);
  const segment = segmentOn(explanation, explanation.as_of);
  const agreed = segment !== null && (
    <p class="hint">
      {words.model[modelOf(segment.terms)]}: {termsWords(segment.terms)}
    </p>
  );
  const ended = segment?.periods.filter((one) => one.account && one.allotted_minutes !== null) ?? [];
  const exceeded = ended.filter((one) => (one.remaining_minutes ?? 0) < 0).length;
  const often = ended.length > 1 && <p class="muted">{t.exceeded(f.number(exceeded), f.number(ended.length))}</p>;
  if (pool === null) {
    const hasPool = segment !== null && !('Result' in segment.terms || 'Task' in segment.terms);
    return (
      <section class="card gauge stand stand-pool">
        <h2>{t.pool}</h2>
        <p class="stand-outlook">{segment === null ? t.noSegment : hasPool ? t.nothingYet : t.noPool}</p>
        {agreed}
        {often}
      </section>
    );
  }
  const { period } = pool;
  const projection = project(pool, explanation.as_of, extentOf(explanation));
  const allotted = period.allotted_minutes ?? 0;
  const used = pool.long ? projection.used : period.used_minutes;
  const left = allotted - used;
  const { text, tone } = outlookText(pool, projection);
  const share = allotted === 0 ? (used > 0 ? 1 : 0) : used / allotted;
  const elapsed = projection.totalDays === null ? null : projection.elapsedDays / projection.totalDays;
  const shown: Tone = pool.long ? tone : left < 0 ? 'critical' : 'good';
  return (
    <section class={`card gauge gauge-${shown} stand stand-pool`}>
      <h2>
        {t.pool}{' '}
        <small class="muted">
          {period.period_to === null
            ? shared.rangeOpen(f.date(period.period_from))
            : shared.rangeTo(f.date(period.period_from), f.date(period.period_to))}
        </small>
      </h2>
      <p class="gauge-number stand-number">
        {left < 0
          ? t.overBy(f.hoursUnit(-left), f.hoursUnit(allotted))
          : t.leftOf(f.hoursUnit(left), f.hoursUnit(allotted))}
      </p>
      <Meter share={share} elapsed={elapsed} tone={shown} />
      {pool.long && <p class={`stand-outlook tone-${tone}`}>{text}</p>}
      {agreed}
      {!pool.long && often}
      {period.minimum_minutes !== null && <p class="muted">{t.minimum(f.hoursUnit(period.minimum_minutes))}</p>}
    </section>
  );
}

function useDueTone(): (due: Due) => Tone {
  return (due) =>
    due.state === 'held' ? 'good' : due.state === 'late' ? 'critical' : due.state === 'now' ? 'warning' : 'plain';
}

function EvaluationList({ explanation }: { explanation: Explanation }) {
  const t = useTexts(decisionTexts);
  const words = useTexts(domain);
  const f = useFormat();
  const tone = useDueTone();
  const dues = evaluationDues(explanation);
  return (
    <section class="card gauge stand">
      <h2>{t.evaluation}</h2>
      {dues.length === 0 ? (
        <p class="muted">{t.noEvaluations}</p>
      ) : (
        <ul class="dues">
          {dues.map((due) => (
            <li key={due.due}>
              <span>
                {f.date(due.due)} <span class="muted">{t.afterMonths(due.months)}</span>
              </span>
              <Badge tone={tone(due)}>{t.due[due.state]}</Badge>
              {due.heldOn !== null && due.outcome !== null && (
                <span class="hint due-held">{t.heldOn(f.date(due.heldOn), words.outcome[due.outcome as Outcome])}</span>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

export function Standing({
  explanation,
  weeks,
  pool,
}: {
  explanation: Explanation;
  weeks: readonly WeekSum[];
  pool: Pool | null;
}) {
  const t = useTexts(decisionTexts);
  const words = useTexts(domain);
  const f = useFormat();
  const sums = sumsOf(explanation, weeks);
  const segment = segmentOn(explanation, explanation.as_of);
  const norm = segment === null ? null : weeklyNorm(segment.terms);
  return (
    <section class="standing" aria-label={t.now}>
      <PoolNow explanation={explanation} pool={pool} />
      <section class="card gauge stand">
        <h2>{t.perWeek}</h2>
        <p class="gauge-number stand-number">{sums.perWeek === null ? '–' : f.hoursUnit(sums.perWeek)}</p>
        <p class="hint">{t.perWeekHint}</p>
        <ul class="stand-lines">
          {norm !== null && <li>{t.perWeekNorm(f.hoursUnit(norm))}</li>}
          {sums.perWeekBefore !== null && <li>{t.before(f.hoursUnit(sums.perWeekBefore))}</li>}
          <li>{sums.lastCare === null ? t.noCare : t.lastCare(f.date(sums.lastCare))}</li>
        </ul>
      </section>
      <section class="card gauge stand">
        <h2>{words.noShow}</h2>
        <p class="gauge-number stand-number">{sums.delivered === 0 ? '–' : f.percentFine(sums.noShow / sums.delivered)}</p>
        <p class="hint">{t.noShowHint(f.hoursUnit(sums.delivered))}</p>
      </section>
      <EvaluationList explanation={explanation} />
    </section>
  );
}

/* ---- alerts ---- */

const sameAlert = (alert: Alert, explained: ExplainedAlert) =>
  alert.kind === explained.kind &&
  alert.segment_from === explained.segment_from &&
  alert.period_from === explained.period_from &&
  alert.threshold === explained.threshold;

function AlertItem({ alert, because }: { alert: Alert; because: string | undefined }) {
  const t = useTexts(decisionTexts);
  const words = useTexts(domain);
  const f = useFormat();
  const [workflow, setWorkflow] = useState<AlertWorkflow>(alert.workflow);
  return (
    <li class="alert-item">
      <div class="alert-head">
        <SeverityBadge severity={alert.severity} />
        <strong>{words.alertKind[alert.kind]}</strong>
        <span class="muted">
          {t.openedOn(f.date(alert.effective_on))}
          {alert.threshold !== null && ` · ${f.percent(alert.threshold / 100)}`}
        </span>
        <Badge tone={workflow.state === 'NEW' ? 'info' : 'plain'}>{words.alertState[workflow.state]}</Badge>
      </div>
      <WorkflowLines workflow={workflow} />
      <EvaluationProgress alert={alert} />
      {because !== undefined && because !== '' && (
        <details class="because">
          <summary>{t.because}</summary>
          <code>{because}</code>
        </details>
      )}
      <AlertActions alert={{ ...alert, workflow }} changed={setWorkflow} />
    </li>
  );
}

const rank = { CRITICAL: 0, WARNING: 1, INFO: 2 };
const ALERTS_SHOWN = 5;

export function AlertList({ detail, explanation }: { detail: DecisionDetail; explanation: Explanation }) {
  const t = useTexts(decisionTexts);
  const f = useFormat();
  const [all, setAll] = useState(false);
  // What is to be done stands before what is past: by severity, then the latest first.
  const alerts = [...detail.alerts].sort(
    (a, b) => rank[a.severity] - rank[b.severity] || (a.effective_on < b.effective_on ? 1 : -1),
  );
  return (
    <section class="card">
      <div class="card-head">
        <h2>
          {t.alerts} {alerts.length > 0 && <span class="muted">({f.number(alerts.length)})</span>}
        </h2>
      </div>
      {alerts.length === 0 ? (
        <Empty>{t.noAlerts}</Empty>
      ) : (
        <ul class="alert-list">
          {(all ? alerts : alerts.slice(0, ALERTS_SHOWN)).map((alert) => (
            <AlertItem
              key={`${alert.alert_id}/${alert.revision}`}
              alert={alert}
              because={explanation.alerts.find((one) => sameAlert(alert, one))?.because}
            />
          ))}
        </ul>
      )}
      {!all && alerts.length > ALERTS_SHOWN && (
        <div class="paged-end">
          <button type="button" class="button" onClick={() => setAll(true)}>
            {t.moreAlerts(f.number(alerts.length - ALERTS_SHOWN))}
          </button>
        </div>
      )}
    </section>
  );
}

/* ---- versions and signals ---- */

export function Versions({ explanation }: { explanation: Explanation }) {
  const t = useTexts(decisionTexts);
  const words = useTexts(domain);
  const shared = useTexts(common);
  const f = useFormat();
  const termsWords = useTermsWords();
  const rows = [...explanation.versions].sort((a, b) => b.version - a.version || Number(b.wins) - Number(a.wins));
  const policy = (version: ExplainedVersion) => {
    const {
      billable_percent: percent,
      max_per_month: most,
      notice_hours: hours,
      counts_to_budget: counts,
    } = version.no_show;
    return t.policyWords(
      f.percent(percent / 100),
      most === null ? t.mostNone : t.mostMonth(f.number(most)),
      f.number(hours),
      counts ? t.toBudget : t.notToBudget,
    );
  };
  return (
    <section class="card">
      <h2>{t.versions}</h2>
      <Table
        caption={t.versions}
        rows={rows}
        rowKey={(row) => `${row.version}/${row.event_id}`}
        columns={[
          {
            key: 'version',
            title: t.version,
            head: true,
            value: (row) => (
              <>
                {row.version}{' '}
                {row.status === 'WITHDRAWN' && <Badge tone="plain">{words.decisionStatus.WITHDRAWN}</Badge>}
                {!row.wins && <Badge tone="plain">{t.superseded}</Badge>}
              </>
            ),
          },
          {
            key: 'effective',
            title: t.effective,
            value: (row) => <span class="nowrap">{f.date(row.effective_from)}</span>,
          },
          {
            key: 'valid',
            title: shared.to,
            value: (row) => <span class="nowrap">{row.valid_to === null ? '–' : f.date(row.valid_to)}</span>,
          },
          {
            key: 'terms',
            title: t.terms,
            value: (row) => (
              <>
                {words.model[modelOf(row.terms)]}
                <br />
                <span class="hint">{termsWords(row.terms)}</span>
              </>
            ),
          },
          { key: 'provider', title: words.provider, value: (row) => row.provider },
          {
            key: 'rate',
            title: t.rate,
            number: true,
            value: (row) => (row.rate_cents_per_hour === null ? t.noRate : t.rateHour(f.euro(row.rate_cents_per_hour))),
          },
          { key: 'policy', title: t.policy, value: (row) => <span class="hint">{policy(row)}</span> },
        ]}
      />
    </section>
  );
}

export function SignalList({ explanation }: { explanation: Explanation }) {
  const t = useTexts(decisionTexts);
  const words = useTexts(domain);
  return (
    <section class="card">
      <div class="card-head">
        <h2>{t.signals}</h2>
        {explanation.anomalies.length > 0 && (
          <a href={href(['signals'], { municipality: explanation.municipality, decision: explanation.decision })}>
            {t.signals}
          </a>
        )}
      </div>
      <p class="hint">{words.provesNothing}</p>
      {explanation.anomalies.length === 0 ? (
        <Empty>{t.noSignals}</Empty>
      ) : (
        <ul class="alert-list">
          {explanation.anomalies.map((anomaly) => (
            <li key={`${anomaly.kind}/${anomaly.subject}`} class="alert-item">
              <div class="alert-head">
                <strong>{words.anomalyKind[anomaly.kind]}</strong>
                <span class="muted">{anomaly.subject}</span>
              </div>
              <p class="hint">{anomaly.because}</p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
