/* The facts behind a signal, side by side, with what differs marked, and in time. */
import type { Anomaly, Decision, Evidence } from '../api/types';
import { useFormat, type Format } from '../format';
import { common } from '../texts/common';
import { signalsTexts } from '../texts/signals';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';

type Texts = ReturnType<typeof useTexts<(typeof signalsTexts)['nl']>>;

/* A column: a fact, or the decision as it was on that day. */
interface Shown {
  title: string;
  /* Which of its cells are held against those of the others. */
  compared: readonly CellName[];
  cells: Record<CellName, string | null>;
  /* Fields of a decision in which its reports differ. */
  terms: Readonly<Record<string, string>>;
}

const CELLS = [
  'fact',
  'id',
  'decision',
  'provider',
  'days',
  'time',
  'duration',
  'staff',
  'corrects',
  'recorded',
  'event',
] as const;
type CellName = (typeof CELLS)[number];
/* The others tell facts apart, so they always differ. */
const COMPARED: readonly CellName[] = ['decision', 'provider', 'days', 'time', 'duration', 'staff', 'corrects'];

function factName(fact: Evidence, t: Texts): string {
  const name = fact.topic === 'NO_SHOW' && fact.what === 'WITHDRAWN' ? 'NO_SHOW_WITHDRAWN' : fact.what;
  return t.facts[name as keyof Texts['facts']];
}

const isTimed = (fact: Evidence): fact is Evidence & { started_at: string; minutes: number } =>
  fact.started_at !== null && fact.minutes !== null && fact.minutes > 0;

const startOf = (fact: { started_at: string }) => Date.parse(fact.started_at);
const endOf = (fact: { started_at: string; minutes: number }) => startOf(fact) + fact.minutes * 60_000;
const instantText = (ms: number) => new Date(ms).toISOString();

/* The value of a field of a decision, for people where it is not a code. */
function termText(name: string, value: unknown, f: Format, t: Texts): string {
  if (value === null || value === undefined) {
    return '–';
  }
  if (typeof value === 'boolean') {
    return value ? t.yes : t.no;
  }
  if (name.startsWith('valid_') || name.startsWith('effective_')) {
    return f.date(String(value));
  }
  if (Array.isArray(value)) {
    return value.join(', ');
  }
  if (typeof value === 'number') {
    return name.includes('cents') ? f.euro(value) : f.number(value);
  }
  return String(value);
}

function useShown(): {
  fact: (fact: Evidence, title: string) => Shown;
  decision: (version: Decision, latest: Decision, compared: CellName) => Shown;
} {
  const t = useTexts(signalsTexts);
  const shared = useTexts(common);
  const f = useFormat();
  const range = (from: string, to: string | null) =>
    to === null
      ? shared.rangeOpen(f.date(from))
      : to === from
        ? f.date(from)
        : shared.rangeTo(f.date(from), f.date(to));
  return {
    fact: (fact, title) => ({
      title,
      compared: COMPARED,
      cells: {
        fact: factName(fact, t),
        id: fact.subject.slice(fact.subject.search(/[:/][^:/]*$/) + 1),
        decision: fact.decision,
        provider: fact.provider,
        days: range(fact.first_day, fact.topic === 'DECISION' ? null : (fact.last_day ?? fact.first_day)),
        time: isTimed(fact) ? `${f.time(fact.started_at)}–${f.time(instantText(endOf(fact)))}` : null,
        duration: fact.minutes === null ? null : t.minutes(f.number(fact.minutes)),
        staff: fact.staff,
        corrects: fact.corrects,
        recorded: f.instant(fact.recorded_at),
        event: fact.event_id,
      },
      terms: Object.fromEntries(
        Object.entries(fact.differs ?? {})
          .filter(([name]) => name in t.terms)
          .map(([name, value]) => [name, termText(name, value, f, t)]),
      ),
    }),
    decision: (version, latest, compared) => ({
      title: t.inForce(String(version.version)),
      compared: [compared],
      cells: {
        fact: t.facts[version.status],
        id: null,
        decision: version.decision,
        provider: version.provider,
        days: range(latest.valid_from, latest.valid_to),
        time: null,
        duration: null,
        staff: null,
        corrects: null,
        recorded: f.instant(version.recorded_at),
        event: null,
      },
      terms: {},
    }),
  };
}

/* The version in force on a day (SPEC section 3). */
function versionOn(versions: readonly Decision[], day: string): Decision | undefined {
  const upwards = [...versions].sort((a, b) => a.version - b.version);
  return upwards.filter((version) => version.effective_from <= day).pop() ?? upwards[0];
}

function useColumns(signal: Anomaly, evidence: readonly Evidence[], versions: readonly Decision[]): Shown[] {
  const t = useTexts(signalsTexts);
  const shown = useShown();
  const sides = (['SUBJECT', 'OTHER'] as const).flatMap((role) => {
    const facts = evidence.filter((fact) => fact.role === role);
    const title = role === 'SUBJECT' ? t.subject : t.other;
    return facts.map((fact, index) =>
      shown.fact(fact, facts.length === 1 ? title : `${title}: ${t.version(String(index + 1))}`),
    );
  });
  const day = signal.payload.first_day;
  const version = typeof day === 'string' ? versionOn(versions, day) : undefined;
  const latest = [...versions].sort((a, b) => b.version - a.version)[0];
  if (version === undefined || latest === undefined) {
    return sides;
  }
  return [...sides, shown.decision(version, latest, signal.kind === 'WRONG_PROVIDER' ? 'provider' : 'days')];
}

function Comparison({ columns }: { columns: readonly Shown[] }) {
  const t = useTexts(signalsTexts);
  const words = useTexts(domain);
  const titles: Record<CellName, string> = {
    fact: t.fact,
    id: t.id,
    decision: words.decision,
    provider: words.provider,
    days: t.days,
    time: t.time,
    duration: t.duration,
    staff: t.staff,
    corrects: t.corrects,
    recorded: t.recorded,
    event: t.event,
  };
  const terms = Object.keys(t.terms).filter((name) => columns.some((column) => name in column.terms));
  const rows = CELLS.filter((name) => columns.some((column) => column.cells[name] !== null));
  // What only one of them can have, such as a time of day beside a decision, is not a difference.
  const differs = (name: CellName) => {
    const held = columns.filter((column) => column.compared.includes(name) && column.cells[name] !== null);
    return new Set(held.map((column) => column.cells[name])).size > 1;
  };
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label={t.evidence}>
      <table class="evidence">
        <caption class="hidden">{t.evidenceCaption}</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">{t.attribute}</span>
            </th>
            {columns.map((column, index) => (
              <th key={index} scope="col">
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((name) => (
            <tr key={name} class={differs(name) ? 'evidence-differs' : undefined}>
              <th scope="row">
                {titles[name]}
                {differs(name) && <span class="evidence-mark">{t.differs}</span>}
              </th>
              {columns.map((column, index) => (
                <td key={index} class={name === 'event' ? 'evidence-id' : undefined}>
                  {column.cells[name] ?? <span class="muted">–</span>}
                </td>
              ))}
            </tr>
          ))}
          {terms.map((name) => (
            <tr key={name} class="evidence-differs">
              <th scope="row">
                {t.terms[name as keyof Texts['terms']]}
                <span class="evidence-mark">{t.differs}</span>
              </th>
              {columns.map((column, index) => (
                <td key={index}>{column.terms[name] ?? <span class="muted">–</span>}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function hourMarks(from: number, to: number): number[] {
  const hour = 3_600_000;
  const step = Math.max(1, Math.ceil((to - from) / hour / 6)) * hour;
  const marks: number[] = [];
  for (let at = Math.ceil(from / hour) * hour; at <= to; at += step) {
    marks.push(at);
  }
  return marks;
}

/* Facts of one day as bars under each other; what they share is a band behind them. */
function Timeline({ evidence }: { evidence: readonly Evidence[] }) {
  const t = useTexts(signalsTexts);
  const f: Format = useFormat();
  const timed = evidence.filter(isTimed);
  if (timed.length < 2) {
    return null;
  }
  const from = Math.min(...timed.map(startOf));
  const to = Math.max(...timed.map(endOf));
  const sharedFrom = Math.max(...timed.map(startOf));
  const sharedTo = Math.min(...timed.map(endOf));
  const share = (ms: number) => `${(100 * (ms - from)) / (to - from)}%`;
  const width = (ms: number) => `${(100 * ms) / (to - from)}%`;
  const minutes = (sharedTo - sharedFrom) / 60_000;
  if (to - from > 2 * 86_400_000) {
    return null;
  }
  return (
    <figure class="timeline">
      <figcaption>
        <strong>{t.timeline}</strong>{' '}
        <span class="muted">{minutes > 0 ? t.together(t.minutes(f.number(minutes))) : t.notTogether}</span>
      </figcaption>
      <div class="timeline-bars" aria-hidden="true">
        {minutes > 0 && (
          <span class="timeline-shared" style={{ left: share(sharedFrom), width: width(sharedTo - sharedFrom) }} />
        )}
        {timed.map((fact) => (
          <div class="timeline-row" key={fact.event_id}>
            <span
              class={fact.role === 'SUBJECT' ? 'timeline-bar' : 'timeline-bar timeline-bar-other'}
              style={{ left: share(startOf(fact)), width: width(endOf(fact) - startOf(fact)) }}
            >
              {f.time(fact.started_at)}–{f.time(instantText(endOf(fact)))}
            </span>
          </div>
        ))}
        <div class="timeline-hours">
          {hourMarks(from, to).map((at) => (
            <span key={at} style={{ left: share(at) }}>
              {f.time(instantText(at))}
            </span>
          ))}
        </div>
      </div>
    </figure>
  );
}

/* `versions` are those of the signal's decision, when the signal is about what the decision allows. */
export function EvidenceView({
  signal,
  evidence,
  versions,
}: {
  signal: Anomaly;
  evidence: readonly Evidence[];
  versions: readonly Decision[];
}) {
  const t = useTexts(signalsTexts);
  const columns = useColumns(signal, evidence, versions);
  if (columns.length === 0) {
    return <p class="muted">{t.noEvidence}</p>;
  }
  return (
    <>
      <Comparison columns={columns} />
      <Timeline evidence={evidence} />
    </>
  );
}
