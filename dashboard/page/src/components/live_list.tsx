/* What stands above a live list: how many rows wait to be shown, and the order. */
import { useEffect, useId, useRef } from 'preact/hooks';
import type { LiveRows } from '../live_rows';
import { changeQuery } from '../router';
import { common } from '../texts/common';
import { useTexts } from '../texts/dictionary';
import type { Option } from './filters';

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
  const visible = live.waiting > 0 || live.tooMany;
  return (
    <div class={visible ? 'fresh-bar fresh-bar-shown' : 'fresh-bar'}>
      <span role="status" aria-live="polite">
        {live.tooMany ? t.muchChanged : live.waiting > 0 ? text : ''}
      </span>
      {visible && (
        <button
          type="button"
          class="button button-small"
          onClick={() => {
            wanted.current = live.show();
            shown();
          }}
        >
          {live.tooMany ? t.loadAgain : t.show}
        </button>
      )}
    </div>
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
      <select id={id} class="field field-small" value={sort} onChange={(event) => changeQuery({ sort: event.currentTarget.value })}>
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
