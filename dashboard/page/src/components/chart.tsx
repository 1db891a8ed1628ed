/*
 * Charts by Chart.js, in the colours of the theme. A chart can be read in three ways: with the eyes, with the arrow
 * keys (what stands there is read out), and as a table with the same values.
 */
import './chart.css';
import {
  BarController,
  BarElement,
  Chart,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
  type ChartConfiguration,
  type ChartType,
  type Plugin,
  type TooltipItem,
} from 'chart.js';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { addMonths, dayNumber, dayText, monthStart, type Format } from '../format';
import { useDark } from '../preferences';
import { common } from '../texts/common';
import { useTexts } from '../texts/dictionary';
import { Icon } from './icons';

Chart.register(BarController, BarElement, Filler, LinearScale, LineController, LineElement, PointElement, Tooltip);

const COLOURS = [
  'text',
  'muted',
  'line',
  'line-strong',
  'surface',
  'raised',
  'accent',
  'critical',
  'warning',
  'good',
  'chart-delivered',
  'chart-no-show',
  'chart-surplus',
  'chart-over',
  'chart-pool',
  'chart-projection',
  'chart-grid',
  'chart-1',
  'chart-2',
  'chart-3',
  'chart-4',
  'chart-5',
  'chart-6',
] as const;

export type ColourName = (typeof COLOURS)[number];
export type Palette = Record<ColourName, string>;

function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Palette;
}

/* The colour, as a hexadecimal of six digits, with an opacity of 0 to 1. */
export function faded(colour: string, opacity: number): string {
  return `${colour}${Math.round(opacity * 255)
    .toString(16)
    .padStart(2, '0')}`;
}

/* ---- marks: what is drawn behind and over the values ---- */

export interface Band {
  from: number;
  to: number;
  label: string;
  shaded: boolean;
}

export interface Line {
  at: number;
  label: string | null;
  colour: ColourName;
  dashed: boolean;
  shape: 'none' | 'diamond' | 'diamond-filled';
}

export interface Marks {
  bands: readonly Band[];
  lines: readonly Line[];
  /* Names of bands and lines are written, above the values. */
  named: boolean;
}

const FONT_SIZE = 12;

function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) {
    return text;
  }
  let cut = text.length;
  while (cut > 3 && context.measureText(`${text.slice(0, cut)}…`).width > width) {
    cut--;
  }
  return cut > 3 ? `${text.slice(0, cut)}…` : '';
}

function drawBands(chart: Chart, marks: Marks, palette: Palette): void {
  const { ctx: context, chartArea: area } = chart;
  const x = chart.scales.x;
  if (x === undefined) {
    return;
  }
  for (const band of marks.bands) {
    const left = Math.max(area.left, x.getPixelForValue(band.from));
    const right = Math.min(area.right, x.getPixelForValue(band.to));
    if (right <= left) {
      continue;
    }
    if (band.shaded) {
      context.fillStyle = faded(palette['line-strong'], 0.13);
      context.fillRect(left, area.top, right - left, area.bottom - area.top);
    }
    if (marks.named) {
      context.fillStyle = palette.muted;
      context.textAlign = 'left';
      context.textBaseline = 'bottom';
      context.fillText(fitted(context, band.label, right - left - 8), left + 4, area.top - 22);
    }
  }
}

function drawDiamond(context: CanvasRenderingContext2D, x: number, y: number, filled: boolean, fill: string): void {
  const half = 6;
  context.beginPath();
  context.moveTo(x, y - half);
  context.lineTo(x + half, y);
  context.lineTo(x, y + half);
  context.lineTo(x - half, y);
  context.closePath();
  context.fillStyle = filled ? (context.strokeStyle as string) : fill;
  context.fill();
  context.stroke();
}

function drawLines(chart: Chart, marks: Marks, palette: Palette): void {
  const { ctx: context, chartArea: area } = chart;
  const x = chart.scales.x;
  // A name is left out where it would cover the one before it.
  let free = -Infinity;
  if (x === undefined) {
    return;
  }
  for (const line of [...marks.lines].sort((a, b) => a.at - b.at)) {
    const at = Math.round(x.getPixelForValue(line.at)) + 0.5;
    if (at < area.left - 1 || at > area.right + 1) {
      continue;
    }
    context.strokeStyle = palette[line.colour];
    context.lineWidth = 1.5;
    context.setLineDash(line.dashed ? [4, 4] : []);
    context.beginPath();
    context.moveTo(at, area.top);
    context.lineTo(at, area.bottom);
    context.stroke();
    context.setLineDash([]);
    if (line.shape !== 'none' && marks.named) {
      drawDiamond(context, at, area.top - 10, line.shape === 'diamond-filled', palette.surface);
    }
    if (marks.named && line.label !== null && line.shape === 'none') {
      const width = context.measureText(line.label).width;
      const left = Math.min(Math.max(at - width / 2, area.left), area.right - width);
      if (left > free) {
        context.fillStyle = palette[line.colour];
        context.textAlign = 'left';
        context.textBaseline = 'bottom';
        context.fillText(line.label, left, area.top - 4);
        free = left + width + 8;
      }
    }
  }
}

export function marksPlugin(marks: Marks, palette: Palette): Plugin {
  const prepare = (chart: Chart) => {
    chart.ctx.save();
    chart.ctx.font = `${FONT_SIZE}px ${Chart.defaults.font.family ?? 'sans-serif'}`;
  };
  return {
    id: 'marks',
    beforeDatasetsDraw(chart) {
      prepare(chart);
      drawBands(chart, marks, palette);
      chart.ctx.restore();
    },
    afterDatasetsDraw(chart) {
      prepare(chart);
      drawLines(chart, marks, palette);
      chart.ctx.restore();
    },
  };
}

/* ---- a scale of days ---- */

/* First days of months, as many as fit. */
export function monthTicks(from: number, to: number, most: number): number[] {
  const months = Math.max(1, (to - from) / 30.4);
  const step = [1, 2, 3, 6, 12, 24, 60].find((one) => months / one <= most) ?? 120;
  const ticks: number[] = [];
  // Steps begin in January, so that quarters are those of the calendar.
  let month = `${dayText(from).slice(0, 4)}-01-01`;
  while (dayNumber(month) <= to) {
    if (dayNumber(month) >= from) {
      ticks.push(dayNumber(month));
    }
    month = addMonths(month, step);
  }
  return ticks;
}

/* Options of an x axis in days since 1970. */
export function dayAxis(from: number, to: number, palette: Palette, f: Format) {
  return {
    type: 'linear' as const,
    min: from,
    max: to,
    offset: false,
    grid: { color: palette['chart-grid'], tickColor: palette['line-strong'], offset: false },
    border: { color: palette['line-strong'] },
    afterBuildTicks: (scale: { width: number; ticks: { value: number }[] }) => {
      const most = Math.max(2, Math.floor(scale.width / 64));
      scale.ticks = monthTicks(from, to, most).map((value) => ({ value }));
    },
    ticks: {
      color: palette.muted,
      autoSkip: false,
      maxRotation: 0,
      callback: (value: string | number) => f.monthShort(monthStart(dayText(Number(value)))),
    },
  };
}

/* The left axis has this width everywhere, so that charts above each other have one scale of time. */
const AXIS_WIDTH = 52;

const TICKS_MAX = 6;
const STEPS_WITHIN_HOUR = [1, 2, 3, 6, 12, 15, 30, 60];

/* The least step between ticks, in minutes, that gives few of them on whole or plain hours. */
function minuteStep(extent: number): number {
  const small = STEPS_WITHIN_HOUR.find((step) => extent / step <= TICKS_MAX);
  if (small !== undefined) {
    return small;
  }
  const least = extent / 60 / TICKS_MAX;
  const tens = 10 ** Math.floor(Math.log10(least));
  return 60 * tens * ([1, 2, 5].find((step) => step * tens >= least) ?? 10);
}

export function minuteTicks(min: number, max: number): number[] {
  const step = minuteStep(max - min);
  const ticks: number[] = [];
  for (let count = Math.ceil(min / step); count * step <= max; count++) {
    // Without the sum there would be a minus zero.
    ticks.push(count * step + 0);
  }
  return ticks;
}

/* An axis of minutes that is written in hours. */
export function hoursAxis(palette: Palette, f: Format) {
  return {
    ...valueAxis(palette, (value) => f.hours(value)),
    afterBuildTicks: (scale: { min: number; max: number; ticks: { value: number }[] }) => {
      scale.ticks = minuteTicks(scale.min, scale.max).map((value) => ({ value }));
    },
  };
}

export function valueAxis(palette: Palette, show: (value: number) => string) {
  return {
    type: 'linear' as const,
    grid: { color: palette['chart-grid'], drawTicks: false },
    border: { display: false },
    afterFit: (scale: { width: number }) => {
      scale.width = AXIS_WIDTH;
    },
    ticks: {
      color: palette.muted,
      padding: 8,
      maxTicksLimit: 6,
      callback: (value: string | number) => show(Number(value)),
    },
  };
}

function tooltipColours(palette: Palette) {
  return {
    backgroundColor: palette.surface,
    borderColor: palette['line-strong'],
    borderWidth: 1,
    titleColor: palette.text,
    bodyColor: palette.text,
    footerColor: palette.muted,
    footerFont: { weight: 'normal' as const },
    padding: 10,
    boxPadding: 4,
    cornerRadius: 6,
  };
}

export interface Pointed {
  /* "index": all values at a place of the x axis; "nearest": the one next to the pointer. */
  mode: 'index' | 'nearest';
  title: (items: TooltipItem<ChartType>[]) => string;
  label: (item: TooltipItem<ChartType>) => string;
  /* Values that are told; all of them unless said. */
  filter?: (item: TooltipItem<ChartType>) => boolean;
}

/* What all charts have in common; `top` is the room for names above the values, in pixels. */
export function baseOptions(palette: Palette, top: number, { mode, title, label, filter }: Pointed) {
  return {
    animation: false as const,
    maintainAspectRatio: false,
    layout: { padding: { top, right: 8 } },
    interaction: { mode, axis: 'x' as const, intersect: false },
    plugins: {
      tooltip: { ...tooltipColours(palette), ...(filter !== undefined && { filter }), callbacks: { title, label } },
    },
  };
}

/* Bars of hours, on top of each other. */
export function stackedHours(from: number, to: number, palette: Palette, f: Format) {
  return {
    x: { ...dayAxis(from, to, palette, f), stacked: true },
    y: { ...hoursAxis(palette, f), stacked: true, beginAtZero: true },
  };
}

/* ---- the figure ---- */

export interface LegendItem {
  label: string;
  colour: ColourName;
  shape: 'box' | 'line' | 'dashed' | 'diamond' | 'diamond-filled' | 'band';
}

export interface ChartFigureProps {
  title: string;
  /* What the chart says, in a sentence. */
  summary: string;
  legend: readonly LegendItem[];
  /* Changes when the chart has to be drawn anew. */
  version: string;
  config: (palette: Palette) => ChartConfiguration;
  height: 'low' | 'middle' | 'high';
  /* How many places the arrow keys go to, and what is read out there. */
  places: number;
  describe: (place: number) => string;
  /* The values at a place; those of all sets with its number unless said. */
  valuesAt?: (place: number) => { datasetIndex: number; index: number }[];
  table: ComponentChildren;
  onPlace?: (place: number) => void;
}

function Legend({ items }: { items: readonly LegendItem[] }) {
  return (
    <ul class="legend">
      {items.map((item) => (
        <li key={item.label}>
          <span
            class={`legend-mark legend-${item.shape}`}
            style={{ color: `var(--${item.colour})` }}
            aria-hidden="true"
          />
          {item.label}
        </li>
      ))}
    </ul>
  );
}

/* Shows what stands at a place as if the pointer were there. */
function showPlace(chart: Chart, place: number, valuesAt: ChartFigureProps['valuesAt']): void {
  const values =
    valuesAt?.(place) ?? chart.data.datasets.map((_, datasetIndex) => ({ datasetIndex, index: place }));
  const elementOf = (value: { datasetIndex: number; index: number } | undefined) =>
    value === undefined ? undefined : chart.getDatasetMeta(value.datasetIndex).data[value.index];
  const active = values.filter((value) => elementOf(value) !== undefined);
  const first = elementOf(active[0]);
  chart.setActiveElements(active);
  chart.tooltip?.setActiveElements(active, { x: first?.x ?? 0, y: first?.y ?? 0 });
  chart.update('none');
}

export function ChartFigure(props: ChartFigureProps) {
  const t = useTexts(common);
  const dark = useDark();
  const id = useId();
  const canvas = useRef<HTMLCanvasElement>(null);
  const chart = useRef<Chart | null>(null);
  const latest = useRef(props);
  const [asTable, setAsTable] = useState(false);
  const [place, setPlace] = useState<number | null>(null);
  latest.current = props;

  useEffect(() => {
    if (canvas.current === null) {
      return undefined;
    }
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.font.size = FONT_SIZE;
    const made = new Chart(canvas.current, latest.current.config(readPalette()));
    chart.current = made;
    return () => {
      made.destroy();
      chart.current = null;
    };
  }, [props.version, dark, asTable]);

  const move = (next: number) => {
    const to = Math.min(Math.max(next, 0), props.places - 1);
    setPlace(to);
    if (chart.current !== null) {
      showPlace(chart.current, to, props.valuesAt);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = props.places - 1;
    const from = place ?? (event.key === 'ArrowLeft' ? props.places : -1);
    const targets: Record<string, number> = { ArrowRight: from + 1, ArrowLeft: from - 1, Home: 0, End: last };
    const target = targets[event.key];
    if (target !== undefined && props.places > 0) {
      event.preventDefault();
      move(target);
    } else if (event.key === 'Enter' && place !== null) {
      props.onPlace?.(place);
    }
  };
  return (
    <figure class="chart">
      <div class="card-head">
        <h2 id={id}>{props.title}</h2>
        <button type="button" class="button button-small" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
          <Icon name={asTable ? 'chart' : 'table'} />
          {asTable ? t.asChart : t.asTable}
        </button>
      </div>
      {asTable ? (
        <div class="chart-table">{props.table}</div>
      ) : (
        <>
          <Legend items={props.legend} />
          <div
            class={`chart-canvas chart-${props.height}`}
            role="group"
            aria-labelledby={id}
            aria-describedby={`${id}-summary`}
            tabIndex={0}
            onKeyDown={onKeyDown}
          >
            <canvas ref={canvas} role="img" aria-labelledby={id} />
          </div>
          <p class="hidden" id={`${id}-summary`}>
            {props.summary} {t.chartKeys}
          </p>
          <p class="hidden" role="status" aria-live="polite">
            {place !== null && place < props.places ? props.describe(place) : ''}
          </p>
        </>
      )}
    </figure>
  );
}
