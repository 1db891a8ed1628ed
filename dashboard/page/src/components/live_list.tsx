/* What stands above a live list: how many rows wait to be shown, and the order. */
import { useEffect, useId, useRef } from 'preact/hooks';
import type { LiveRows } from '../live_rows';
import { changeQuery } from '../router';
import { common } from '../texts/common';
import { useTexts } from '../texts/dictionary';
import type { Option } from './filters';

/* Over the list, in sight wherever the reader is in it, and without room of its own: nothing moves when it appears. */
export function FreshBar({ text, action, run }: { text: string; action: string; run: () => void }) {
  return (
    <div class="fresh-bar">
      <div class={text === '' ? undefined : 'fresh-pill'}>
        <span role="status" aria-live="polite">
          {text}
        </span>
        {text !== '' && (
          <button type="button" class="button button-small button-main" onClick={run}>
            {action}
          </button>
        )}
      </div>
    </div>
  );
}

/* `text` says how many there are. What is shown gets the focus, at the first new row. */
export function FreshRows({
  live,
  text,
  rowId,
  shown,
}: {
  live: LiveRows;
  text: string;
  rowId: (id: string) => string;
  shown: () => void;
}) {
  const t = useTexts(common);
  const wanted = useRef<string | null>(null);
  useEffect(() => {
    const element = wanted.current === null ? null : document.getElementById(rowId(wanted.current));
    if (element !== null) {
      wanted.current = null;
      element.focus();
    }
  });
  return (
    <FreshBar
      text={live.tooMany ? t.muchChanged : live.waiting > 0 ? text : ''}
      action={live.tooMany ? t.loadAgain : t.show}
      run={() => {
        wanted.current = live.show();
        shown();
      }}
    />
  );
}

/* On a narrow screen a table has no heads to sort by. */
export function ListSort({ sort, options }: { sort: string; options: readonly Option[] }) {
  const t = useTexts(common);
  const id = useId();
  return (
    <div class="list-sort">
      <label class="hint" for={id}>
        {t.sort}
      </label>
      <select
        id={id}
        class="field field-small"
        value={sort}
        onChange={(event) => changeQuery({ sort: event.currentTarget.value })}
      >
        {options.some((option) => option.value === sort) ? null : <option value={sort}>–</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
