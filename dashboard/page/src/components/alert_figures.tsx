/* What an alert says, in figures, and how its date lies to today. */
import type { AlertCore } from '../api/types';
import { dayNumber, useFormat } from '../format';
import { alertsTexts } from '../texts/alerts';
import { useTexts } from '../texts/dictionary';
import { Badge } from './badge';

type Figured = Pick<AlertCore, 'kind' | 'payload' | 'effective_on' | 'severity'>;

/*
 * Whether what was delivered can be held against what was expected until an evaluation was due. Long after that, which is
 * when it is critical, far more was delivered than was expected until then, and the ratio says nothing.
 */
export const isComparable = ({ severity }: Pick<AlertCore, 'severity'>): boolean => severity !== 'CRITICAL';

/* A short sentence of an alert's figures. */
export function useAlertFigures(): (alert: Figured) => string {
  const t = useTexts(alertsTexts);
  const f = useFormat();
  return (alert) => {
    const { kind, payload, effective_on } = alert;
    const { used_minutes: used, allotted_minutes: allotted, expected_minutes: expected, period_to } = payload;
    const parts: string[] = [];
    const add = (part: string | false) => part !== false && parts.push(part);
    const usedOf = () =>
      add(typeof used === 'number' && typeof allotted === 'number' && t.used(f.hours(used), f.hours(allotted)));
    const difference = () => {
      const left = payload.remaining_minutes;
      if (typeof left === 'number' && left !== 0) {
        add(left > 0 ? t.left(f.hours(left)) : t.over(f.hours(-left)));
      }
    };
    switch (kind) {
      case 'EVALUATION_DUE': {
        const { delivered_minutes: delivered, ratio_percent: ratio, no_show_minutes: noShow } = payload;
        if (typeof delivered === 'number') {
          if (typeof expected === 'number' && typeof ratio === 'number' && isComparable(alert)) {
            add(t.evaluation(f.hours(delivered), f.hours(expected), f.percent(ratio / 100)));
          } else {
            add(t.evaluationDelivered(f.hours(delivered)));
            add(typeof expected === 'number' && t.evaluationExpected(f.hours(expected), f.date(effective_on)));
          }
          add(typeof noShow === 'number' && noShow > 0 && t.noShow(f.hours(noShow)));
        }
        break;
      }
      case 'PROJECTED_EXHAUSTION':
        usedOf();
        add(typeof expected === 'number' && t.projected(f.hours(expected), f.date(period_to ?? effective_on)));
        break;
      case 'BANDWIDTH_BELOW': {
        const minimum = payload.minimum_minutes;
        add(typeof used === 'number' && typeof minimum === 'number' && t.below(f.hours(used), f.hours(minimum)));
        break;
      }
      case 'CARE_STALLED':
        add(typeof payload.last_care_on === 'string' ? t.stalled(f.date(payload.last_care_on)) : t.neverCare);
        break;
      case 'DECISION_ENDING':
        add(t.ending(f.date(effective_on)));
        break;
      case 'SURPLUS_LOW':
      case 'SURPLUS_EXHAUSTED':
      case 'BUDGET_LOW':
      case 'BUDGET_EXHAUSTED':
      case 'PERIOD_EXCEEDED':
      case 'BANDWIDTH_ABOVE':
        usedOf();
        difference();
        break;
    }
    return parts.join(' · ');
  };
}

/*
 * Figures are those of the last change; what was delivered since shows with the next one. Where that was before the day
 * on which all is judged, this says so.
 */
export function useFiguresDate(): (alert: Pick<AlertCore, 'observed_at'>, asOf: string) => string | null {
  const t = useTexts(alertsTexts);
  const f = useFormat();
  return ({ observed_at }, asOf) => {
    const day = f.isoDay(observed_at);
    return day < asOf ? t.figuresAt(f.date(day)) : null;
  };
}

/* The date of an alert, with how far off it is where that matters. */
export function AlertDate({ alert, asOf }: { alert: AlertCore; asOf: string }) {
  const t = useTexts(alertsTexts);
  const f = useFormat();
  const days = dayNumber(alert.effective_on) - dayNumber(asOf);
  const isDue = alert.kind === 'EVALUATION_DUE' && alert.status === 'OPEN';
  const text = days === 0 ? t.today : days > 0 ? t.ahead(days) : isDue ? t.late(-days) : t.ago(-days);
  return (
    <span class="two-lines">
      <span class="nowrap">{f.date(alert.effective_on)}</span>
      {isDue && days <= 0 ? (
        <Badge tone={alert.severity === 'CRITICAL' ? 'critical' : 'warning'}>{text}</Badge>
      ) : (
        <span class="hint nowrap">{text}</span>
      )}
    </span>
  );
}
