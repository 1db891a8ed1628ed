/* The two charts of a decision, one above the other on the same scale of time. */
import type { ChartConfiguration } from 'chart.js';
import { useState } from 'preact/hooks';
import type { Explanation } from '../api/explanation';
import {
  baseOptions,
  ChartFigure,
  dayAxis,
  faded,
  hoursAxis,
  marksPlugin,
  stackedHours,
  type Band,
  type LegendItem,
  type Line,
  type Marks,
  type Palette,
} from '../components/chart';
import { Table } from '../components/table';
import { addDays, dayNumber, dayText, isoWeek, useFormat, type Format } from '../format';
import { common } from '../texts/common';
import { decisionTexts } from '../texts/decision';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';
import {
  evaluationDues,
  evenLine,
  minimumLine,
  modelOf,
  poolLine,
  project,
  extentOf,
  rangeOf,
  type Extent,
  type Point,
  type Pool,
  type Projection,
  type Range,
  type WeekSum,
} from './decision_model';

const RANGES: readonly Range[] = ['all', 'pool', 'recent'];

function useMarks(explanation: Explanation): Omit<Marks, 'named'> {
  const t = useTexts(decisionTexts);
  const words = useTexts(domain);
  const f = useFormat();
  const several = explanation.segments.length > 1;
  const whole = extentOf(explanation);
  const bands: Band[] = explanation.segments.map((segment, index) => ({
    from: dayNumber(segment.segment_from),
    to: segment.segment_to === null ? whole.to : dayNumber(segment.segment_to) + 1,
    label: several ? words.model[modelOf(segment.terms)] : '',
    shaded: index % 2 === 1,
  }));
  const switches: Line[] = explanation.segments.slice(1).map((segment) => ({
    at: dayNumber(segment.segment_from),
    label: null,
    colour: 'text',
    dashed: false,
    shape: 'none',
  }));
  const dues: Line[] = evaluationDues(explanation).map((due) => ({
    at: dayNumber(due.heldOn ?? due.due),
    label: null,
    colour: due.state === 'held' ? 'good' : due.state === 'late' ? 'critical' : 'accent',
    dashed: true,
    shape: due.state === 'held' ? 'diamond-filled' : 'diamond',
  }));
  const today: Line = {
    at: dayNumber(explanation.as_of),
    label: `${t.today} ${f.dayMonth(explanation.as_of)}`,
    colour: 'muted',
    dashed: false,
    shape: 'none',
  };
  return { bands, lines: [...switches, ...dues, today] };
}

/* ---- the pool ---- */

const inside = (extent: Extent) => (point: Point) => point.x >= extent.from && point.x <= extent.to;

/* The least and most of what is seen, so that the scale fits it; zero is always there. */
function bounds(extent: Extent, lines: readonly (readonly Point[])[]): { min: number; max: number } {
  const values = lines.flatMap((line) => line.filter(inside(extent)).map((point) => point.y));
  const max = Math.max(0, ...values);
  const min = Math.min(0, ...values);
  const room = (max - min) * 0.06;
  return { min: min < 0 ? min - room : 0, max: max === 0 && min === 0 ? 60 : max + room };
}

interface PoolData {
  left: Point[];
  even: Point[];
  minimum: Point[];
  projected: Point[];
}

function poolConfig(data: PoolData, extent: Extent, marks: Marks, texts: Record<keyof PoolData, string>, f: Format) {
  return (palette: Palette): ChartConfiguration => {
    const set = (name: keyof PoolData, colour: string, width: number, dash: number[]) => ({
      type: 'line' as const,
      label: texts[name],
      data: data[name],
      borderColor: colour,
      backgroundColor: colour,
      borderWidth: width,
      borderDash: dash,
      pointRadius: 0,
      pointHitRadius: 12,
      spanGaps: false,
    });
    const used = bounds(extent, [data.left, data.minimum, data.projected]);
    return {
      type: 'line',
      data: {
        datasets: [
          {
            ...set('left', palette['chart-delivered'], 2.5, []),
            fill: {
              target: { value: 0 },
              above: faded(palette['chart-delivered'], 0.14),
              below: faded(palette['chart-over'], 0.3),
            },
          },
          set('projected', palette['chart-projection'], 2.5, [7, 5]),
          set('even', palette['line-strong'], 1.25, [2, 4]),
          set('minimum', palette['chart-3'], 1.5, [2, 3]),
        ],
      },
      options: {
        ...baseOptions(palette, 44, {
          mode: 'nearest',
          title: (items) => f.date(dayText(Math.floor((items[0]?.parsed.x ?? 0) - 0.5))),
          label: (item) => `${item.dataset.label ?? ''}: ${f.clock(Math.round(item.parsed.y ?? 0))}`,
        }),
        scales: {
          x: dayAxis(extent.from, extent.to, palette, f),
          y: {
            ...hoursAxis(palette, f),
            min: used.min,
            max: used.max,
            grid: {
              drawTicks: false,
              color: (context) => (context.tick?.value === 0 ? palette['line-strong'] : palette['chart-grid']),
              lineWidth: (context) => (context.tick?.value === 0 ? 1.5 : 1),
            },
          },
        },
      },
      plugins: [marksPlugin(marks, palette)],
    };
  };
}

function PoolChart({
  explanation,
  extent,
  projection,
  marks,
  range,
}: {
  explanation: Explanation;
  extent: Extent;
  projection: Projection | null;
  marks: Omit<Marks, 'named'>;
  range: Range;
}) {
  const t = useTexts(decisionTexts);
  const f = useFormat();
  const data: PoolData = {
    left: poolLine(explanation),
    even: evenLine(explanation),
    minimum: minimumLine(explanation),
    projected: projection?.line ?? [],
  };
  const seen = data.left.filter(inside(extent));
  // The gaps between the pools are no places to go to.
  const places = data.left.flatMap((point, index) => (inside(extent)(point) ? [{ point, index }] : []));
  const legend: LegendItem[] = [{ label: t.left, colour: 'chart-delivered', shape: 'line' }];
  if (data.projected.length > 0) {
    legend.push({ label: t.projection, colour: 'chart-projection', shape: 'dashed' });
  }
  if (data.even.length > 0) {
    legend.push({ label: t.even, colour: 'line-strong', shape: 'dashed' });
  }
  if (data.minimum.length > 0) {
    legend.push({ label: t.minimumLine, colour: 'chart-3', shape: 'dashed' });
  }
  const dues = evaluationDues(explanation);
  if (dues.some((due) => due.state === 'held')) {
    legend.push({ label: t.evaluationHeld, colour: 'good', shape: 'diamond-filled' });
  }
  if (dues.some((due) => due.state !== 'held')) {
    legend.push({
      label: t.evaluationDue,
      colour: dues.some((due) => due.state === 'late') ? 'critical' : 'accent',
      shape: 'diamond',
    });
  }
  if (explanation.segments.length > 1) {
    legend.push({ label: t.segmentSwitch, colour: 'line-strong', shape: 'band' });
  }
  const texts = { left: t.left, even: t.even, minimum: t.minimumLine, projected: t.projection };
  const dayOf = (point: Point) => dayText(Math.max(Math.ceil(point.x) - 1, extent.from));
  return (
    <ChartFigure
      title={t.burnDown}
      summary={t.burnDownSummary(f.date(dayText(extent.from)), f.date(dayText(extent.to - 1)))}
      legend={legend}
      version={JSON.stringify([explanation, range, f.language])}
      config={poolConfig(data, extent, { ...marks, named: true }, texts, f)}
      height="high"
      places={places.length}
      valuesAt={(place) => [{ datasetIndex: 0, index: places[place]?.index ?? 0 }]}
      describe={(place) => {
        const point = places[place]?.point;
        return point === undefined ? '' : `${f.date(dayOf(point))}: ${f.clock(Math.round(point.y))}`;
      }}
      table={
        <Table
          caption={t.burnDown}
          rows={seen}
          rowKey={(point) => `${point.x}/${point.y}`}
          columns={[
            { key: 'date', title: t.table.date, head: true, value: (point) => f.date(dayOf(point)) },
            { key: 'left', title: t.table.left, number: true, value: (point) => f.clock(point.y) },
          ]}
        />
      }
    />
  );
}

/* ---- the weeks ---- */

function weekConfig(
  weeks: readonly WeekSum[],
  extent: Extent,
  marks: Marks,
  texts: Record<'care' | 'noShow' | 'surplus' | 'norm', string>,
  f: Format,
) {
  return (palette: Palette): ChartConfiguration => {
    const bars = (name: 'care' | 'noShow' | 'surplus', colour: string) => ({
      type: 'bar' as const,
      label: texts[name],
      data: weeks.map((week) => ({ x: dayNumber(week.monday) + 3.5, y: week[name] })),
      backgroundColor: colour,
      stack: 'delivered',
      maxBarThickness: 22,
      barPercentage: 0.96,
      categoryPercentage: 0.92,
    });
    const norm: Point[] = weeks.flatMap((week) =>
      week.norm === null
        ? [{ x: NaN, y: NaN }]
        : [
            { x: dayNumber(week.monday), y: week.norm },
            { x: dayNumber(week.monday) + 7, y: week.norm },
          ],
    );
    return {
      type: 'bar',
      data: {
        datasets: [
          bars('care', palette['chart-delivered']),
          bars('noShow', palette['chart-no-show']),
          bars('surplus', palette['chart-surplus']),
          {
            type: 'line',
            label: texts.norm,
            data: norm,
            borderColor: palette['chart-pool'],
            borderWidth: 1.5,
            borderDash: [5, 3],
            pointRadius: 0,
            pointHitRadius: 0,
            spanGaps: false,
          },
        ],
      },
      options: {
        ...baseOptions(palette, 8, {
          mode: 'index',
          title: (items) => weekTitle(weeks[items[0]?.dataIndex ?? 0], f),
          label: (item) => `${item.dataset.label ?? ''}: ${f.clock(item.parsed.y ?? 0)}`,
          // Not the line of the norm, whose values are not weeks.
          filter: (item) => item.datasetIndex < 3,
        }),
        scales: stackedHours(extent.from, extent.to, palette, f),
      },
      plugins: [marksPlugin(marks, palette)],
    };
  };
}

function weekTitle(week: WeekSum | undefined, f: Format): string {
  return week === undefined ? '' : `${f.dayMonth(week.monday)} – ${f.date(addDays(week.monday, 6))}`;
}

function WeekChart({
  weeks,
  extent,
  marks,
  range,
  openWeek,
}: {
  weeks: readonly WeekSum[];
  extent: Extent;
  marks: Omit<Marks, 'named'>;
  range: Range;
  openWeek: (monday: string) => void;
}) {
  const t = useTexts(decisionTexts);
  const words = useTexts(domain);
  const shared = useTexts(common);
  const f = useFormat();
  const seen = weeks.filter((week) => dayNumber(week.monday) + 7 > extent.from && dayNumber(week.monday) < extent.to);
  const has = (name: 'noShow' | 'surplus') => seen.some((week) => week[name] > 0);
  const legend: LegendItem[] = [{ label: t.care, colour: 'chart-delivered', shape: 'box' }];
  if (has('noShow')) {
    legend.push({ label: words.noShow, colour: 'chart-no-show', shape: 'box' });
  }
  if (has('surplus')) {
    legend.push({ label: words.surplus, colour: 'chart-surplus', shape: 'box' });
  }
  if (seen.some((week) => week.norm !== null)) {
    legend.push({ label: t.normLine, colour: 'chart-pool', shape: 'dashed' });
  }
  const texts = { care: t.care, noShow: words.noShow, surplus: words.surplus, norm: t.normLine };
  const weekName = (week: WeekSum) => {
    const iso = isoWeek(week.monday);
    return shared.week(String(iso.week), String(iso.year));
  };
  return (
    <ChartFigure
      title={t.weeks}
      summary={t.weeksSummary(f.date(dayText(extent.from)), f.date(dayText(extent.to - 1)))}
      legend={legend}
      version={JSON.stringify([
        seen.map((week) => [week.monday, week.delivered, week.surplus]),
        extent,
        range,
        f.language,
      ])}
      config={weekConfig(seen, extent, { ...marks, named: false }, texts, f)}
      height="middle"
      places={seen.length}
      onPlace={(place) => {
        const week = seen[place];
        if (week !== undefined) {
          openWeek(week.monday);
        }
      }}
      describe={(place) => {
        const week = seen[place];
        return week === undefined
          ? ''
          : `${weekName(week)}: ${[
              `${t.care} ${f.clock(week.care)}`,
              `${words.noShow} ${f.clock(week.noShow)}`,
              `${words.surplus} ${f.clock(week.surplus)}`,
            ].join(', ')}`;
      }}
      table={
        <Table
          caption={t.weeks}
          rows={[...seen].reverse()}
          rowKey={(week) => week.monday}
          columns={[
            { key: 'week', title: t.table.week, head: true, value: weekName },
            { key: 'from', title: t.table.from, value: (week) => f.date(week.monday) },
            { key: 'care', title: t.table.care, number: true, value: (week) => f.clock(week.care) },
            { key: 'noShow', title: t.table.noShow, number: true, value: (week) => f.clock(week.noShow) },
            { key: 'surplus', title: t.table.surplus, number: true, value: (week) => f.clock(week.surplus) },
            { key: 'delivered', title: t.table.delivered, number: true, value: (week) => f.clock(week.delivered) },
          ]}
        />
      }
    />
  );
}

/* ---- both ---- */

export function DecisionCharts({
  explanation,
  weeks,
  pool,
  openWeek,
}: {
  explanation: Explanation;
  weeks: readonly WeekSum[];
  pool: Pool | null;
  openWeek: (monday: string) => void;
}) {
  const t = useTexts(decisionTexts);
  const marks = useMarks(explanation);
  const long = pool !== null && pool.long ? pool : null;
  // On a phone two years of weeks are too thin to see.
  const [range, setRange] = useState<Range>(() => (window.matchMedia('(max-width: 46rem)').matches ? 'recent' : 'all'));
  const extent = rangeOf(range, explanation, long);
  const projection = long === null ? null : project(long, explanation.as_of, extentOf(explanation));
  const hasPools = explanation.segments.some((segment) =>
    segment.periods.some((period) => period.allotted_minutes !== null),
  );
  return (
    <section class="card stack">
      <div class="segmented range" role="group" aria-label={t.range}>
        {RANGES.filter((one) => one !== 'pool' || long !== null).map((one) => (
          <button key={one} type="button" aria-pressed={one === range} onClick={() => setRange(one)}>
            {t.ranges[one]}
          </button>
        ))}
      </div>
      {hasPools ? (
        <PoolChart explanation={explanation} extent={extent} projection={projection} marks={marks} range={range} />
      ) : (
        <p class="note note-plain">{t.noBurnDown}</p>
      )}
      <WeekChart weeks={weeks} extent={extent} marks={marks} range={range} openWeek={openWeek} />
    </section>
  );
}
