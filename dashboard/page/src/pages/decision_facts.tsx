/* Every fact of a decision, week by week, with the sum that follows from it; and what counts for nothing. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Explanation, Fact } from '../api/explanation';
import { Badge, type Tone } from '../components/badge';
import { Empty } from '../components/states';
import { Table, type Column } from '../components/table';
import { addDays, isoWeek, useFormat, type Format } from '../format';
import { common } from '../texts/common';
import { decisionTexts } from '../texts/decision';
import { useTexts } from '../texts/dictionary';
import type { WeekPart, WeekSum } from './decision_model';

const WEEKS_SHOWN = 13;

function verdictTone(fact: { verdict: string }): Tone {
  switch (fact.verdict) {
    case 'COUNTS':
      return 'good';
    case 'CREDIT':
    case 'REVERSED':
    case 'SUPERSEDED':
    case 'WITHDRAWN':
    case 'NOT_BILLABLE':
    case 'NOT_TO_BUDGET':
      return 'plain';
    default:
      return 'warning';
  }
}

function factDays(fact: Fact, f: Format, year: boolean): string {
  const last = year ? f.date(fact.to) : f.dayMonth(fact.to);
  return fact.from === fact.to ? `${f.weekday(fact.from)} ${last}` : `${f.dayMonth(fact.from)} – ${last}`;
}

function useFactColumns({ year }: { year: boolean }): Column<Fact>[] {
  const t = useTexts(decisionTexts);
  const f = useFormat();
  return [
    {
      key: 'day',
      title: t.fact.day,
      value: (fact) => (
        <>
          <span class="nowrap">{factDays(fact, f, year)}</span>
          {fact.started_at !== null && <span class="muted nowrap"> {f.time(fact.started_at)}</span>}
        </>
      ),
    },
    { key: 'kind', title: t.fact.kind, value: (fact) => t.kinds[fact.kind] },
    { key: 'id', title: t.fact.id, head: true, long: true, value: (fact) => fact.id },
    { key: 'staff', title: t.fact.staff, long: true, value: (fact) => fact.staff ?? '–' },
    { key: 'minutes', title: t.fact.minutes, number: true, value: (fact) => f.clock(fact.minutes) },
    { key: 'counted', title: t.fact.counted, number: true, value: (fact) => f.clock(fact.counted_minutes) },
    {
      key: 'verdict',
      title: t.fact.verdict,
      value: (fact) => (
        <span class="verdict">
          <Badge tone={verdictTone(fact)}>{fact.verdict_words}</Badge>
          {fact.reason !== '' && <span class="hint">{f.sentence(fact.reason)}</span>}
        </span>
      ),
    },
  ];
}

/* The sum of a week in one pool, as `urenwacht explain` writes it. */
function PartSum({ part: { week } }: { part: WeekPart }) {
  const t = useTexts(decisionTexts).sum;
  const f = useFormat();
  const left = week.remaining_minutes;
  return (
    <span class="week-sum">
      {week.fixed_minutes === null
        ? t.plain(f.clock(week.delivered_minutes))
        : t.fixed(f.clock(week.delivered_minutes), f.clock(week.fixed_minutes), f.clock(week.used_minutes))}
      {left !== null && (
        <span class={left < 0 ? 'week-left week-over' : 'week-left'}>
          {left < 0 ? t.over(f.clock(-left)) : t.left(f.clock(left))}
        </span>
      )}
    </span>
  );
}

function WeekItem({ week, open, toggle }: { week: WeekSum; open: boolean; toggle: (open: boolean) => void }) {
  const t = useTexts(decisionTexts);
  const shared = useTexts(common);
  const f = useFormat();
  const columns = useFactColumns({ year: false });
  const iso = isoWeek(week.monday);
  const facts = week.parts.flatMap((part) => part.week.facts);
  return (
    <details
      class="week"
      id={`week-${week.monday}`}
      open={open}
      onToggle={(event) => {
        if (event.currentTarget.open !== open) {
          toggle(event.currentTarget.open);
        }
      }}
    >
      <summary>
        <strong>{shared.week(String(iso.week), String(iso.year))}</strong>
        <span class="muted">
          {f.dayMonth(week.monday)} – {f.dayMonth(addDays(week.monday, 6))}
        </span>
        {week.parts.map((part) => (
          <PartSum key={`${part.segment.segment_from}/${part.period.period_from}`} part={part} />
        ))}
      </summary>
      {open && (
        <Table
          caption={`${t.facts}: ${shared.week(String(iso.week), String(iso.year))}`}
          columns={columns}
          rows={facts}
          rowKey={(fact) => `${fact.kind}/${fact.id}/${fact.event_id}/${fact.counted_minutes}`}
        />
      )}
    </details>
  );
}

/* `wanted` is the week that was chosen in the chart; it is opened and shown. */
export function WeekList({ weeks, wanted }: { weeks: readonly WeekSum[]; wanted: string | null }) {
  const t = useTexts(decisionTexts);
  const f = useFormat();
  const [shown, setShown] = useState(WEEKS_SHOWN);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const list = useRef<HTMLElement>(null);
  const newest = [...weeks].reverse();
  useEffect(() => {
    const index = newest.findIndex((week) => week.monday === wanted);
    if (wanted !== null && index >= 0) {
      setShown((before) => Math.max(before, index + 1));
      setOpened((before) => new Set(before).add(wanted));
      window.requestAnimationFrame(() => {
        const item = list.current?.querySelector<HTMLElement>(`#week-${wanted} > summary`);
        item?.scrollIntoView({ block: 'center' });
        item?.focus();
      });
    }
  }, [wanted]);
  const visible = newest.slice(0, shown);
  const all = visible.length > 0 && visible.every((week) => opened.has(week.monday));
  const toggle = (monday: string, open: boolean) =>
    setOpened((before) => {
      const next = new Set(before);
      if (open) {
        next.add(monday);
      } else {
        next.delete(monday);
      }
      return next;
    });
  return (
    <section class="card" ref={list}>
      <div class="card-head">
        <h2>{t.facts}</h2>
        {visible.length > 0 && (
          <button
            type="button"
            class="button button-small"
            onClick={() => setOpened(all ? new Set() : new Set(visible.map((week) => week.monday)))}
          >
            {all ? t.closeAll : t.openAll}
          </button>
        )}
      </div>
      {visible.length === 0 ? <Empty>{t.noFacts}</Empty> : <p class="hint weeks-hint">{t.factsHint}</p>}
      {visible.map((week) => (
        <WeekItem
          key={week.monday}
          week={week}
          open={opened.has(week.monday)}
          toggle={(open) => toggle(week.monday, open)}
        />
      ))}
      {newest.length > shown && (
        <div class="paged-end">
          <button type="button" class="button" onClick={() => setShown(newest.length)}>
            {t.moreWeeks(f.number(newest.length - shown))}
          </button>
        </div>
      )}
    </section>
  );
}

export function NotCounted({ explanation }: { explanation: Explanation }) {
  const t = useTexts(decisionTexts);
  const columns = useFactColumns({ year: true });
  const facts = [...explanation.not_counted].sort((a, b) => (a.from < b.from ? 1 : -1));
  return (
    <section class="card">
      <h2>{t.notCounted}</h2>
      {facts.length === 0 ? (
        <Empty>{t.notCountedNone}</Empty>
      ) : (
        <Table
          caption={t.notCounted}
          columns={columns}
          rows={facts}
          rowKey={(fact) => `${fact.kind}/${fact.id}/${fact.event_id}`}
        />
      )}
    </section>
  );
}

export function NoShowList({ explanation }: { explanation: Explanation }) {
  const t = useTexts(decisionTexts);
  const f = useFormat();
  const rows = [...explanation.no_shows].sort((a, b) => (a.appointment_on < b.appointment_on ? 1 : -1));
  if (rows.length === 0) {
    return null;
  }
  return (
    <section class="card">
      <h2>{t.noShows}</h2>
      <Table
        caption={t.noShows}
        rows={rows}
        rowKey={(row) => `${row.provider}/${row.no_show}`}
        columns={[
          {
            key: 'day',
            title: t.fact.day,
            value: (row) => (
              <span class="nowrap">{`${f.weekday(row.appointment_on)} ${f.date(row.appointment_on)}`}</span>
            ),
          },
          { key: 'id', title: t.fact.id, head: true, long: true, value: (row) => row.no_show },
          { key: 'planned', title: t.planned, number: true, value: (row) => f.clock(row.planned_minutes) },
          { key: 'counted', title: t.fact.counted, number: true, value: (row) => f.clock(row.counted_minutes) },
          {
            key: 'verdict',
            title: t.fact.verdict,
            value: (row) => (
              <span class="verdict">
                <Badge tone={verdictTone(row)}>{row.verdict_words}</Badge>
                <span class="hint">{f.sentence(row.explanation)}</span>
              </span>
            ),
          },
        ]}
      />
    </section>
  );
}
