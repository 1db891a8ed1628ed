/* Where it happens: the figures of the overview by municipality, provider, product or funding form. */
import { useEffect, useState } from 'preact/hooks';
import type { Model } from '../api/types';
import { Await, Empty } from '../components/states';
import { Table, type Column } from '../components/table';
import { useFormat } from '../format';
import { useLoad } from '../load';
import { changeQuery, href, useRoute } from '../router';
import { domain } from '../texts/domain';
import { overviewTexts } from '../texts/overview';
import { useTexts } from '../texts/dictionary';
import {
  alertsHref,
  dueHref,
  loadSplit,
  splits,
  type Here,
  type Scope,
  type SplitBy,
  type SplitColumn,
  type SplitRow,
} from './overview_data';

const ROWS_SHOWN = 12;

function CountCell({ count, most, link }: { count: number; most: number; link: string }) {
  const f = useFormat();
  if (count === 0) {
    return <span class="muted">0</span>;
  }
  return (
    <a class="count" href={link}>
      <span class="count-bar" style={{ width: `${Math.max(2, (100 * count) / most)}%` }} aria-hidden="true" />
      <span class="count-text">{f.number(count)}</span>
    </a>
  );
}

function useSplitNames(): Record<SplitBy, string> {
  const words = useTexts(domain);
  return {
    municipality: words.municipality,
    provider: words.provider,
    product: words.product,
    model: words.modelLabel,
  };
}

function useSplitColumns(here: Here, by: SplitBy, rows: readonly SplitRow[]): Column<SplitRow>[] {
  const t = useTexts(overviewTexts);
  const words = useTexts(domain);
  const f = useFormat();
  const names = useSplitNames();
  const counted = (name: SplitColumn): Column<SplitRow> => {
    const most = Math.max(...rows.map((row) => row.counts[name]));
    const link = (of: Scope) => (name === 'due' ? dueHref(here, 0, of) : alertsHref(here, name, of));
    return {
      key: name,
      title: t.columns[name],
      number: true,
      value: (row) => <CountCell count={row.counts[name]} most={most} link={link({ [by]: row.value })} />,
    };
  };
  const columns: Column<SplitRow>[] = [
    {
      key: 'value',
      title: names[by],
      head: true,
      value: (row) => (
        <a href={href([], { ...here.scope, [by]: row.value })}>
          {by === 'model' ? words.model[row.value as Model] : row.value}
        </a>
      ),
    },
    counted('due'),
    counted('overdue'),
    counted('pools'),
    counted('exhausted'),
    counted('stalled'),
    {
      key: 'no_show',
      title: t.columns.noShow,
      number: true,
      value: (row) =>
        row.noShowShare === null ? (
          <span class="muted">{t.noHours}</span>
        ) : (
          <a href={href(['trends'], { ...here.scope, [by]: row.value, measure: 'no_show' })}>
            {f.percentFine(row.noShowShare)}
          </a>
        ),
    },
  ];
  if (rows.some((row) => row.signals !== null)) {
    const most = Math.max(...rows.map((row) => row.signals ?? 0));
    columns.push({
      key: 'signals',
      title: t.columns.signals,
      number: true,
      value: (row) => (
        <CountCell
          count={row.signals ?? 0}
          most={most}
          link={href(['signals'], { ...here.scope, [by]: row.value, state: 'NEW' })}
        />
      ),
    });
  }
  return columns;
}

function SplitTable({ here, by, rows }: { here: Here; by: SplitBy; rows: SplitRow[] }) {
  const t = useTexts(overviewTexts);
  const f = useFormat();
  const [all, setAll] = useState(false);
  const columns = useSplitColumns(here, by, rows);
  const names = useSplitNames();
  if (rows.length === 0) {
    return <Empty>{t.nothing}</Empty>;
  }
  return (
    <>
      <div class="split">
        <Table
          caption={t.byCaption(names[by].toLowerCase())}
          columns={columns}
          rows={all ? rows : rows.slice(0, ROWS_SHOWN)}
          rowKey={(row) => row.value}
        />
      </div>
      {!all && rows.length > ROWS_SHOWN && (
        <div class="paged-end">
          <button type="button" class="button" onClick={() => setAll(true)}>
            {t.showAll(f.number(rows.length))}
          </button>
        </div>
      )}
    </>
  );
}

export function Split({ here, turn }: { here: Here; turn: number }) {
  const t = useTexts(overviewTexts);
  const { query } = useRoute();
  const asked = query.get('by');
  const by = splits.find((one) => one === asked) ?? 'provider';
  const { asOf, scope, withSignals } = here;
  const loaded = useLoad(JSON.stringify([asOf, by, scope]), async (signal) => ({
    by,
    rows: await loadSplit(asOf, by, scope, withSignals, signal),
  }));
  useEffect(() => {
    if (turn > 0) {
      loaded.reload();
    }
  }, [turn]);
  const names = useSplitNames();
  return (
    <section class="card">
      <div class="card-head">
        <h2>{t.where}</h2>
        <div class="segmented segmented-many" role="group" aria-label={t.by}>
          {splits.map((one) => (
            <button key={one} type="button" aria-pressed={one === by} onClick={() => changeQuery({ by: one })}>
              {names[one]}
            </button>
          ))}
        </div>
      </div>
      <Await of={loaded}>{(split) => <SplitTable key={split.by} here={here} by={split.by} rows={split.rows} />}</Await>
    </section>
  );
}
