/* What asks for attention today: figures, what comes first, and where it happens. */
import './overview.css';
import { useEffect, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { progress } from '../api/calls';
import type { Alert } from '../api/types';
import { isComparable, useFiguresDate } from '../components/alert_figures';
import { Badge } from '../components/badge';
import { DecisionLink } from '../components/decision_link';
import { Filters, useFilterQuery } from '../components/filters';
import { PageFrame } from '../components/page';
import { Sparkline } from '../components/sparkline';
import { Await, Empty } from '../components/states';
import { useCommonFilters } from '../dimensions';
import { dayNumber, useFormat, addMonths } from '../format';
import { subscribeLive } from '../live';
import { useLoad } from '../load';
import { href } from '../router';
import { maySeeSignals, useSession } from '../session';
import { useSoon } from '../soon';
import { common } from '../texts/common';
import { domain } from '../texts/domain';
import { overviewTexts } from '../texts/overview';
import { useTexts } from '../texts/dictionary';
import { alertsHref, dueHref, loadFirsts, loadTotals, type Here, type ListName, type Totals } from './overview_data';
import { Split } from './overview_split';

/* ---- tiles ---- */

function Tile({
  title,
  value,
  link,
  hint,
  tone,
  children,
}: {
  title: string;
  value: string;
  link: string;
  hint: string;
  tone?: 'critical' | 'warning' | 'good' | undefined;
  children?: ComponentChildren;
}) {
  return (
    <section class={tone === undefined ? 'card gauge tile' : `card gauge gauge-${tone} tile`}>
      <h2>{title}</h2>
      <a class="gauge-number tile-number" href={link}>
        {value}
      </a>
      <p class="hint">{hint}</p>
      {children}
    </section>
  );
}

function TileLine({
  link,
  count,
  text,
  tone,
}: {
  link: string;
  count: string;
  text: string;
  tone?: 'critical' | 'warning';
}) {
  return (
    <li>
      <a class={tone === undefined ? undefined : `tone-${tone}`} href={link}>
        <strong>{count}</strong> {text}
      </a>
    </li>
  );
}

function NoShowTile({ here, totals }: { here: Here; totals: Totals }) {
  const t = useTexts(overviewTexts);
  const f = useFormat();
  const months = Array.from({ length: 12 }, (_, index) => addMonths(here.asOf, index - 12));
  const shares = months.map((month) => {
    const row = totals.months.find((one) => one.period_from === month);
    return row === undefined || row.delivered_minutes <= 0 ? null : row.no_show_minutes / row.delivered_minutes;
  });
  const last = shares[11] ?? null;
  const before = shares[10] ?? null;
  const text = (share: number | null) => (share === null ? t.noHours : f.percentFine(share));
  const link = href(['trends'], { ...here.scope, measure: 'no_show' });
  return (
    <Tile title={t.noShow} value={text(last)} link={link} hint={t.noShowHint(f.month(addMonths(here.asOf, -1)))}>
      <div class="tile-trend">
        {before !== null && (
          <span>
            {text(before)} {t.noShowBefore}
          </span>
        )}
        {shares.some((share) => share !== null) && <Sparkline values={shares.map((share) => share ?? 0)} />}
      </div>
    </Tile>
  );
}

function Tiles({ here, totals }: { here: Here; totals: Totals }) {
  const t = useTexts(overviewTexts);
  const f = useFormat();
  const { counts, due, signals } = totals;
  const line = (name: ListName, text: string | ((count: number) => string), tone?: 'critical' | 'warning') => (
    <TileLine
      link={alertsHref(here, name)}
      count={f.number(counts[name])}
      text={typeof text === 'string' ? text : text(counts[name])}
      {...(tone !== undefined && counts[name] > 0 ? { tone } : {})}
    />
  );
  return (
    <div class="tiles">
      <Tile
        title={t.evaluations}
        value={f.number(due.thisMonth)}
        link={dueHref(here, 0)}
        hint={t.evaluationsHint}
        tone={counts.overdue > 0 ? 'critical' : due.thisMonth > 0 ? 'warning' : 'good'}
      >
        <ul class="tile-lines">
          {line('overdue', t.overdue, 'critical')}
          {line('settled', t.settled)}
          <TileLine link={dueHref(here, 1)} count={f.number(due.nextMonth)} text={t.nextMonth} />
        </ul>
      </Tile>
      <Tile
        title={t.pools}
        value={f.number(counts.pools)}
        link={alertsHref(here, 'pools')}
        hint={t.poolsHint}
        tone={counts.exhausted > 0 ? 'critical' : counts.pools > 0 ? 'warning' : 'good'}
      >
        <ul class="tile-lines">
          {line('exhausted', t.exhausted, 'critical')}
          {line('projected', t.projected, 'warning')}
        </ul>
      </Tile>
      <Tile
        title={t.columns.stalled}
        value={f.number(counts.stalled)}
        link={alertsHref(here, 'stalled')}
        hint={t.careHint}
        tone={counts.stalled > 0 ? 'warning' : 'good'}
      >
        <ul class="tile-lines">{line('ending', t.ending)}</ul>
      </Tile>
      <NoShowTile here={here} totals={totals} />
      {signals !== null && (
        <Tile
          title={t.signals}
          value={f.number(signals.fresh)}
          link={href(['signals'], { ...here.scope, state: 'NEW' })}
          hint={t.signalsHint}
        >
          <ul class="tile-lines">
            <TileLine
              link={href(['signals'], { ...here.scope, state: 'IN_RESEARCH' })}
              count={f.number(signals.inResearch)}
              text={t.inResearch}
            />
          </ul>
        </Tile>
      )}
      {signals === null && here.withSignals && (
        <section class="card gauge tile">
          <h2>{t.signals}</h2>
          <p class="hint">{t.signalsScope}</p>
        </section>
      )}
    </div>
  );
}

/* ---- what comes first ---- */

function FirstItem({ alert, mark, children }: { alert: Alert; mark: ComponentChildren; children: ComponentChildren }) {
  const words = useTexts(domain);
  return (
    <li class="first">
      <div class="first-main">
        <DecisionLink of={alert} />
        {mark}
      </div>
      <p class="hint">
        {children}
        {alert.model !== null && ` · ${words.model[alert.model]}`} · {words.provider.toLowerCase()} {alert.provider}
      </p>
    </li>
  );
}

function EvaluationItem({ alert, asOf }: { alert: Alert; asOf: string }) {
  const t = useTexts(overviewTexts);
  const f = useFormat();
  const days = dayNumber(alert.effective_on) - dayNumber(asOf);
  const when = days < 0 ? t.late(-days) : days === 0 ? t.today : t.ahead(days);
  const ratio = isComparable(alert) ? alert.payload.ratio_percent : null;
  const judged = useFiguresDate()(alert, asOf);
  return (
    <FirstItem
      alert={alert}
      mark={<Badge tone={days < -28 ? 'critical' : days <= 0 ? 'warning' : 'info'}>{when}</Badge>}
    >
      {t.dueOn(f.date(alert.effective_on))}
      {typeof ratio === 'number' && ` · ${t.ratio(f.percent(ratio / 100))}`}
      {typeof ratio === 'number' && judged !== null && ` (${judged})`}
    </FirstItem>
  );
}

function PoolItem({ alert }: { alert: Alert }) {
  const t = useTexts(overviewTexts);
  const words = useTexts(domain);
  const f = useFormat();
  const { used_minutes: used, allotted_minutes: allotted } = alert.payload;
  return (
    <FirstItem
      alert={alert}
      mark={<Badge tone={alert.severity === 'CRITICAL' ? 'critical' : 'warning'}>{words.alertKind[alert.kind]}</Badge>}
    >
      {typeof used === 'number' && typeof allotted === 'number' && `${t.usedOf(f.hours(used), f.hours(allotted))} · `}
      {t.since(f.date(alert.effective_on))}
    </FirstItem>
  );
}

function FirstList({
  title,
  alerts,
  empty,
  link,
  count,
  item,
}: {
  title: string;
  alerts: readonly Alert[];
  empty: string;
  link: string;
  count: number | undefined;
  item: (alert: Alert) => ComponentChildren;
}) {
  const t = useTexts(overviewTexts);
  const f = useFormat();
  return (
    <section class="card">
      <div class="card-head">
        <h2>{title}</h2>
        {count !== undefined && count > 0 && <a href={link}>{t.allOfThem(f.number(count))}</a>}
      </div>
      {alerts.length === 0 ? <Empty>{empty}</Empty> : <ol class="firsts">{alerts.map(item)}</ol>}
    </section>
  );
}

/* ---- the page ---- */

function Figures({ here, renew }: { here: Here; renew: () => void }) {
  const t = useTexts(overviewTexts);
  const { asOf, scope, withSignals } = here;
  const key = JSON.stringify([asOf, scope]);
  const totals = useLoad(key, (signal) => loadTotals(asOf, scope, withSignals, signal));
  const firsts = useLoad(key, (signal) => loadFirsts(asOf, scope, signal));
  const [turn, setTurn] = useState(0);
  const freshen = useSoon(() => {
    renew();
    totals.reload();
    firsts.reload();
    setTurn((before) => before + 1);
  });
  useEffect(() => subscribeLive({ alert: freshen, anomaly: freshen, gap: freshen }), []);
  const counts = totals.data?.counts;
  return (
    <div class="stack">
      <section aria-label={t.tiles}>
        <Await of={totals}>{(data) => <Tiles here={here} totals={data} />}</Await>
      </section>
      <Await of={firsts}>
        {(data) => (
          <div class="pair">
            <FirstList
              title={t.firstEvaluations}
              alerts={data.evaluations}
              empty={t.noEvaluations}
              link={alertsHref(here, 'evaluations', { sort: 'effective_on' })}
              count={counts?.evaluations}
              item={(alert) => <EvaluationItem key={alert.alert_id} alert={alert} asOf={asOf} />}
            />
            <FirstList
              title={t.firstPools}
              alerts={data.pools}
              empty={t.noPools}
              link={alertsHref(here, 'pools', { sort: '-effective_on' })}
              count={counts?.pools}
              item={(alert) => <PoolItem key={alert.alert_id} alert={alert} />}
            />
          </div>
        )}
      </Await>
      <Split here={here} turn={turn} />
    </div>
  );
}

export function OverviewPage() {
  const t = useTexts(overviewTexts);
  const shared = useTexts(common);
  const f = useFormat();
  const session = useSession();
  const base = useCommonFilters();
  const filters = [base.municipality, base.provider, base.product, base.model];
  const scope = useFilterQuery(filters);
  const state = useLoad('progress', progress);
  const asOf = state.data === null ? null : (state.data.as_of ?? session.today);
  return (
    <PageFrame title={t.title} lead={asOf === null ? '\u00a0' : shared.asOf(f.dateLong(asOf))}>
      <div class="stack">
        <Filters filters={filters} />
        <Await of={state}>
          {(data) => (
            <Figures
              here={{ asOf: data.as_of ?? session.today, scope, withSignals: maySeeSignals(session) }}
              renew={state.reload}
            />
          )}
        </Await>
      </div>
    </PageFrame>
  );
}
