/* Before and after: the measures on both sides of a switch of funding form, or of any month. */
import { Empty } from '../components/states';
import { Table } from '../components/table';
import { useFormat } from '../format';
import { changeQuery, useRoute } from '../router';
import { domain } from '../texts/domain';
import { trendsTexts } from '../texts/trends';
import { useTexts } from '../texts/dictionary';
import { halvesAround, measures, sumMonths, valueOf, type Measure, type Series, type View } from './trends_data';
import { useDifferenceText, useSeriesName, useValueText } from './trends_words';

interface CompareRow {
  key: string;
  name: string;
  measure: Measure;
  before: number | null;
  after: number | null;
}

/* Without a split the rows are the four measures; with one they are its series, for the measure that is chosen. */
function compareRows(
  view: View,
  month: string,
  name: (key: string) => string,
  measureName: (measure: Measure) => string,
): CompareRow[] {
  const { before, after } = halvesAround(view.months, month);
  const row = (key: string, text: string, series: Series, measure: Measure): CompareRow => ({
    key,
    name: text,
    measure,
    before: valueOf(sumMonths(series, before), measure),
    after: valueOf(sumMonths(series, after), measure),
  });
  if (view.split === 'none') {
    const total = view.series[0];
    return total === undefined ? [] : measures.map((measure) => row(measure, measureName(measure), total, measure));
  }
  return view.series.map((series) => row(series.key, name(series.key), series, view.measure));
}

function CompareTable({ view, month }: { view: View; month: string }) {
  const t = useTexts(trendsTexts);
  const valueText = useValueText();
  const differenceText = useDifferenceText();
  const name = useSeriesName(view.split);
  const halves = halvesAround(view.months, month);
  const rows = compareRows(view, month, name, (measure) => t.measures[measure]);
  return (
    <>
      <p class="hint">{t.compareLead(t.monthCount(halves.before.length), t.monthCount(halves.after.length))}</p>
      <Table
        caption={t.compare}
        rows={rows}
        rowKey={(row) => row.key}
        columns={[
          {
            key: 'name',
            title: view.split === 'none' ? t.measure : t.measures[view.measure],
            head: true,
            value: (row) => row.name,
          },
          { key: 'before', title: t.before, number: true, value: (row) => valueText(row.before, row.measure) },
          { key: 'after', title: t.after, number: true, value: (row) => valueText(row.after, row.measure) },
          {
            key: 'difference',
            title: t.difference,
            number: true,
            value: (row) =>
              differenceText(row.before === null || row.after === null ? null : row.after - row.before, row.measure),
          },
        ]}
      />
    </>
  );
}

export function Compare({ view }: { view: View }) {
  const t = useTexts(trendsTexts);
  const words = useTexts(domain);
  const f = useFormat();
  const { query } = useRoute();
  const largest = [...view.switches].sort((a, b) => b.share - a.share)[0];
  const asked = `${query.get('around') ?? ''}-01`;
  const month = view.months.includes(asked) ? asked : largest?.month;
  const found = view.switches.find((one) => one.month === month);
  return (
    <section class="card">
      <div class="card-head">
        <h2>{t.compare}</h2>
        <label class="compare-choice">
          {t.compareAt}
          <select
            class="field field-small"
            value={month ?? ''}
            onChange={(event) => changeQuery({ around: event.currentTarget.value.slice(0, 7) })}
          >
            {month === undefined && <option value="">{t.compareNone}</option>}
            {view.months.slice(1).map((one) => (
              <option key={one} value={one}>
                {f.month(one)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {month === undefined && <Empty>{t.noSwitch}</Empty>}
      {found !== undefined && (
        <p class="note note-info compare-note">
          {t.switchLead(f.month(found.month), f.percent(found.share), words.model[found.from], words.model[found.to])}
        </p>
      )}
      {month !== undefined && <CompareTable view={view} month={month} />}
      <p class="hint compare-rule">{t.switchRule}</p>
    </section>
  );
}
