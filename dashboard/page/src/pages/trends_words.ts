/* Words for the values of trends. */
import type { Model } from '../api/types';
import { useFormat } from '../format';
import { domain } from '../texts/domain';
import { trendsTexts } from '../texts/trends';
import { useTexts } from '../texts/dictionary';
import type { Measure, SplitBy } from './trends_data';

export function useValueText(): (value: number | null, measure: Measure) => string {
  const t = useTexts(trendsTexts);
  const f = useFormat();
  return (value, measure) => {
    if (value === null) {
      return t.noValue;
    }
    switch (measure) {
      case 'hours':
        return t.hoursUnit(f.hoursFine(value));
      case 'use':
        return f.percent(value);
      case 'no_show':
        return f.percentFine(value);
      case 'cost':
        return f.euro(value);
    }
  };
}

/* A difference has a sign, and between shares it is in points. */
export function useDifferenceText(): (value: number | null, measure: Measure) => string {
  const t = useTexts(trendsTexts);
  const f = useFormat();
  const valueText = useValueText();
  return (value, measure) => {
    if (value === null) {
      return t.noValue;
    }
    const sign = value > 0 ? '+' : value < 0 ? '\u2212' : '';
    const size = Math.abs(value);
    return `${sign}${measure === 'use' || measure === 'no_show' ? t.points(f.decimal(100 * size)) : valueText(size, measure)}`;
  };
}

export function useSeriesName(split: SplitBy): (key: string) => string {
  const t = useTexts(trendsTexts);
  const words = useTexts(domain);
  return (key) => (split === 'none' ? t.total : split === 'model' ? words.model[key as Model] : key);
}
