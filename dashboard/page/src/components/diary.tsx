/* What people did about an alert or a signal, the last first. */
import type { Action } from '../api/types';
import { useFormat, type Format } from '../format';
import { diaryTexts } from '../texts/diary';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';

type Words = ReturnType<typeof useTexts<(typeof domain)['nl']>>;
type Texts = ReturnType<typeof useTexts<(typeof diaryTexts)['nl']>>;

/* The API gives a state or an outcome with what belongs to it behind a space. */
function halves(value: string): [string, string] {
  const space = value.indexOf(' ');
  return space < 0 ? [value, ''] : [value.slice(0, space), value.slice(space + 1)];
}

function sentence(action: Action, t: Texts, words: Words, f: Format): string {
  const value = action.value;
  const [first, rest] = halves(value ?? '');
  switch (action.action) {
    case 'ASSIGN':
      return value === null ? t.unassigned : t.assigned(value);
    case 'ACKNOWLEDGE':
      return t.acknowledged;
    case 'SNOOZE':
      return value === null ? t.unsnoozed : t.snoozed(f.date(value));
    case 'EVALUATION':
      return t.evaluation(f.date(rest), words.outcome[first as keyof Words['outcome']]);
    case 'STATE': {
      const state = words.caseState[first as keyof Words['caseState']];
      return rest === '' ? t.state(state) : t.stateWith(state, rest);
    }
    case 'NOTE':
      return t.note;
  }
}

export function Diary({ actions }: { actions: readonly Action[] }) {
  const t = useTexts(diaryTexts);
  const words = useTexts(domain);
  const f = useFormat();
  if (actions.length === 0) {
    return <p class="muted">{t.empty}</p>;
  }
  return (
    <ol class="diary">
      {actions.map((action, index) => (
        <li key={actions.length - index}>
          <p>{sentence(action, t, words, f)}</p>
          {action.note !== null && action.note !== '' && <blockquote>{action.note}</blockquote>}
          <p class="hint">{t.by(action.by, f.instant(action.at))}</p>
        </li>
      ))}
    </ol>
  );
}
