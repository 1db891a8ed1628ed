/* How things develop: four measures by month, comparable across a switch of funding form. */
import './trends.css';
import type { ChartConfiguration } from 'chart.js';
import { useMemo } from 'preact/hooks';
import { aggregates, progress } from '../api/calls';
import { address } from '../api/client';
import type { Model } from '../api/types';
import {
  baseOptions,
  ChartFigure,
  dayAxis,
  hoursAxis,
  marksPlugin,
  stackedHours,
  valueAxis,
  type ColourName,
  type LegendItem,
  type Marks,
  type Palette,
} from '../components/chart';
import { Filters, useFilterQuery, type Filter } from '../components/filters';
import { PageFrame } from '../components/page';
import { Await, Empty } from '../components/states';
import { CsvLink, Table } from '../components/table';
import { useCommonFilters } from '../dimensions';
import { addMonths, dayNumber, dayText, useFormat, type Format } from '../format';
import { useLoad } from '../load';
import { changeQuery, useRoute } from '../router';
import { useSession } from '../session';
import { trendsTexts } from '../texts/trends';
import { useTexts } from '../texts/dictionary';
import { Compare } from './trends_compare';
import {
  measures,
  seriesOf,
  splits,
  switchesOf,
  valueOf,
  type Measure,
  type Series,
  type SplitBy,
  type View,
} from './trends_data';
import { useSeriesName, useValueText } from './trends_words';

const SPANS = ['12', '24', '36'] as const;
const SHOWN_MAX = 6;
const COLOURS: readonly ColourName[] = ['chart-1', 'chart-2', 'chart-3', 'chart-4', 'chart-5', 'chart-6'];
const POINTS = ['circle', 'rect', 'triangle', 'rectRot', 'crossRot', 'star'] as const;
/* Each funding form has a colour of its own, wherever it is drawn. */
const MODEL_COLOURS: Record<Model, ColourName> = {
  Pxq: 'chart-1',
  Bandwidth: 'chart-3',
  YearBudget: 'chart-2',
  FixedPlusSurplus: 'chart-4',
  Result: 'chart-5',
  Task: 'chart-6',
};

const colourOf = (split: SplitBy, key: string, index: number): ColourName =>
  split === 'model' ? MODEL_COLOURS[key as Model] : (COLOURS[index] ?? 'chart-6');

function useMarks(view: View): Marks {
  const t = useTexts(trendsTexts);
  return {
    bands: [],
    lines: view.switches.map((one) => ({
      at: dayNumber(one.month) - 15,
      label: t.switchMark,
      colour: 'text',
      dashed: true,
      shape: 'none',
    })),
    named: true,
  };
}

/* Half a month on both sides, so that the first and the last have room. */
const edges = (months: readonly string[]) => ({
  from: dayNumber(months[0] ?? '1970-01-01') - 16,
  to: dayNumber(months[months.length - 1] ?? '1970-01-01') + 16,
});

/* ---- the measure ---- */

function measureAxis(measure: Measure, palette: Palette, f: Format) {
  switch (measure) {
    case 'hours':
      return hoursAxis(palette, f);
    case 'use':
    case 'no_show':
      return valueAxis(palette, (value) => f.percent(value));
    case 'cost':
      return valueAxis(palette, (value) => f.euroWhole(value));
  }
}

function measureConfig(
  view: View,
  shown: readonly Series[],
  marks: Marks,
  name: (key: string) => string,
  text: (value: number | null) => string,
  f: Format,
) {
  return (palette: Palette): ChartConfiguration => {
    const extent = edges(view.months);
    return {
      type: 'line',
      data: {
        datasets: shown.map((series, index) => {
          const colour = palette[colourOf(view.split, series.key, index)];
          return {
            label: name(series.key),
            data: view.months.map((month) => {
              const sums = series.byMonth.get(month);
              return { x: dayNumber(month), y: (sums === undefined ? null : valueOf(sums, view.measure)) ?? NaN };
            }),
            borderColor: colour,
            backgroundColor: colour,
            borderWidth: 2.25,
            pointStyle: POINTS[index % POINTS.length] ?? 'circle',
            pointRadius: 3.5,
            pointHoverRadius: 6,
            tension: 0,
            spanGaps: false,
          };
        }),
      },
      options: {
        ...baseOptions(palette, 24, {
          mode: 'index',
          title: (items) => f.month(dayText(items[0]?.parsed.x ?? 0)),
          label: (item) => `${item.dataset.label ?? ''}: ${text(item.parsed.y)}`,
        }),
        scales: {
          x: dayAxis(extent.from, extent.to, palette, f),
          y: { ...measureAxis(view.measure, palette, f), beginAtZero: true, grace: '8%' },
        },
      },
      plugins: [marksPlugin(marks, palette)],
    };
  };
}

function MeasureChart({ view }: { view: View }) {
  const t = useTexts(trendsTexts);
  const f = useFormat();
  const name = useSeriesName(view.split);
  const valueText = useValueText();
  const marks = useMarks(view);
  const text = (value: number | null) => valueText(value, view.measure);
  const shown = view.series.slice(0, SHOWN_MAX);
  const legend: LegendItem[] = shown.map((series, index) => ({
    label: name(series.key),
    colour: colourOf(view.split, series.key, index),
    shape: 'line',
  }));
  if (view.switches.length > 0) {
    legend.push({ label: t.switchMark, colour: 'text', shape: 'dashed' });
  }
  const at = (series: Series, month: string) => {
    const sums = series.byMonth.get(month);
    return text(sums === undefined ? null : valueOf(sums, view.measure));
  };
  const known = shown.some((series) =>
    [...series.byMonth.values()].some((sums) => valueOf(sums, view.measure) !== null),
  );
  if (!known) {
    return (
      <section class="card">
        <h2>{t.measures[view.measure]}</h2>
        <Empty>{t.unknown}</Empty>
        <p class="hint">{t.explained[view.measure]}</p>
      </section>
    );
  }
  const first = f.month(view.months[0] ?? '');
  const last = f.month(view.months[view.months.length - 1] ?? '');
  return (
    <section class="card">
      <ChartFigure
        title={t.measures[view.measure]}
        summary={t.summary(t.measures[view.measure], first, last)}
        legend={legend}
        version={JSON.stringify([
          view.measure,
          view.split,
          view.months,
          shown.map((one) => [one.key, one.whole]),
          f.language,
        ])}
        config={measureConfig(view, shown, marks, name, text, f)}
        height="high"
        places={view.months.length}
        describe={(place) => {
          const month = view.months[place] ?? '';
          return `${f.month(month)}: ${shown.map((series) => `${name(series.key)} ${at(series, month)}`).join(', ')}`;
        }}
        table={
          <Table
            caption={t.measures[view.measure]}
            rows={[...view.months].reverse()}
            rowKey={(month) => month}
            columns={[
              { key: 'month', title: t.month, head: true, value: (month) => f.month(month) },
              ...view.series.map((series) => ({
                key: series.key,
                title: name(series.key),
                number: true,
                value: (month: string) => at(series, month),
              })),
            ]}
          />
        }
      />
      <p class="hint">{t.explained[view.measure]}</p>
      {view.measure === 'cost' && <PricedNote view={view} />}
      {view.series.length > SHOWN_MAX && (
        <p class="hint">{t.largest(f.number(SHOWN_MAX), f.number(view.series.length))}</p>
      )}
    </section>
  );
}

function PricedNote({ view }: { view: View }) {
  const t = useTexts(trendsTexts);
  const f = useFormat();
  const priced = view.byModel.reduce((sum, series) => sum + series.whole.priced, 0);
  const delivered = view.byModel.reduce((sum, series) => sum + series.whole.delivered, 0);
  return delivered > 0 ? <p class="hint">{t.priced(f.percent(priced / delivered))}</p> : null;
}

/* ---- the mix of funding forms ---- */

function mixConfig(view: View, marks: Marks, name: (key: string) => string, f: Format) {
  return (palette: Palette): ChartConfiguration => {
    const extent = edges(view.months);
    return {
      type: 'bar',
      data: {
        datasets: view.byModel.map((series) => ({
          label: name(series.key),
          data: view.months.map((month) => ({ x: dayNumber(month), y: series.byMonth.get(month)?.delivered ?? 0 })),
          backgroundColor: palette[MODEL_COLOURS[series.key as Model]],
          stack: 'hours',
          maxBarThickness: 40,
        })),
      },
      options: {
        ...baseOptions(palette, 8, {
          mode: 'index',
          title: (items) => f.month(dayText(items[0]?.parsed.x ?? 0)),
          label: (item) => `${item.dataset.label ?? ''}: ${f.hoursUnit(item.parsed.y ?? 0)}`,
        }),
        scales: stackedHours(extent.from, extent.to, palette, f),
      },
      plugins: [marksPlugin({ ...marks, named: false }, palette)],
    };
  };
}

function MixChart({ view }: { view: View }) {
  const t = useTexts(trendsTexts);
  const f = useFormat();
  const name = useSeriesName('model');
  const marks = useMarks(view);
  const hours = (series: Series, month: string) => f.hours(series.byMonth.get(month)?.delivered ?? 0);
  return (
    <section class="card">
      <ChartFigure
        title={t.mix}
        summary={t.mixSummary}
        legend={view.byModel.map((series) => ({
          label: name(series.key),
          colour: MODEL_COLOURS[series.key as Model],
          shape: 'box',
        }))}
        version={JSON.stringify([view.months, view.byModel.map((one) => [one.key, one.whole]), f.language])}
        config={mixConfig(view, marks, name, f)}
        height="middle"
        places={view.months.length}
        describe={(place) => {
          const month = view.months[place] ?? '';
          const parts = view.byModel.map((series) => `${name(series.key)} ${hours(series, month)}`);
          return `${f.month(month)}: ${parts.join(', ')}`;
        }}
        table={
          <Table
            caption={t.mix}
            rows={[...view.months].reverse()}
            rowKey={(month) => month}
            columns={[
              { key: 'month', title: t.month, head: true, value: (month) => f.month(month) },
              ...view.byModel.map((series) => ({
                key: series.key,
                title: name(series.key),
                number: true,
                value: (month: string) => hours(series, month),
              })),
            ]}
          />
        }
      />
    </section>
  );
}

/* ---- the page ---- */

function Choice<T extends string>({
  label,
  values,
  value,
  text,
  name,
}: {
  label: string;
  values: readonly T[];
  value: T;
  text: (one: T) => string;
  name: string;
}) {
  return (
    <div>
      <span class="label" aria-hidden="true">
        {label}
      </span>
      <div class="segmented segmented-many" role="group" aria-label={label}>
        {values.map((one) => (
          <button key={one} type="button" aria-pressed={one === value} onClick={() => changeQuery({ [name]: one })}>
            {text(one)}
          </button>
        ))}
      </div>
    </div>
  );
}

export function TrendsPage() {
  const session = useSession();
  const t = useTexts(trendsTexts);
  const f = useFormat();
  const base = useCommonFilters();
  const { query } = useRoute();
  const filters: Filter[] = [base.municipality, base.provider, base.product, base.law, base.model];
  const scope = useFilterQuery(filters);
  const measure = measures.find((one) => one === query.get('measure')) ?? 'hours';
  const split = splits.find((one) => one === query.get('by')) ?? 'none';
  const span = SPANS.find((one) => one === query.get('span')) ?? '24';
  const key = JSON.stringify([scope, split, span]);
  const loaded = useLoad(key, async (signal) => {
    const asOf = (await progress(signal)).as_of ?? session.today;
    const asked = {
      ...scope,
      by: split === 'none' || split === 'model' ? 'model' : `${split},model`,
      from: addMonths(asOf, -Number(span)),
      to: addMonths(asOf, -1),
    };
    return { asked, split, rows: await aggregates('monthly', asked, signal) };
  });
  const asked = loaded.data?.asked;
  const view = useMemo((): View | null => {
    if (loaded.data === null) {
      return null;
    }
    const { rows } = loaded.data;
    // Months before the first one with anything in it are not drawn.
    const present = rows.map((row) => row.period_from ?? '').sort();
    const months: string[] = [];
    for (
      let month = present[0] ?? '';
      month !== '' && month <= (present[present.length - 1] ?? '');
      month = addMonths(month, 1)
    ) {
      months.push(month);
    }
    const byModel = seriesOf(rows, 'model');
    return {
      measure,
      split: loaded.data.split,
      months,
      series: seriesOf(rows, loaded.data.split),
      byModel,
      switches: switchesOf(byModel, months),
    };
  }, [loaded.data, measure]);
  return (
    <PageFrame
      title={t.title}
      lead={asked === undefined ? '\u00a0' : t.lead(f.month(view?.months[0] ?? asked.from), f.month(asked.to))}
      actions={asked && <CsvLink address={address('aggregates/monthly', { ...asked, format: 'csv' })} />}
    >
      <div class="stack">
        <Filters filters={filters} />
        <div class="trend-choices">
          <Choice label={t.measure} name="measure" values={measures} value={measure} text={(one) => t.measures[one]} />
          <Choice label={t.split} name="by" values={splits} value={split} text={(one) => t.splits[one]} />
          <Choice label={t.months} name="span" values={SPANS} value={span} text={(one) => t.lastMonths(one)} />
        </div>
        <Await of={loaded}>
          {() =>
            view === null || view.months.length === 0 ? (
              <div class="card">
                <Empty>{t.empty}</Empty>
              </div>
            ) : (
              <div class="stack">
                <MeasureChart view={view} />
                <Compare view={view} />
                <MixChart view={view} />
              </div>
            )
          }
        </Await>
      </div>
    </PageFrame>
  );
}
