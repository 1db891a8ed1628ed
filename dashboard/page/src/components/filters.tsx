/* Filters that live in the address, so that a filtered list can be linked to, kept and sent on. */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useFormat } from '../format';
import { changeQuery, useRoute, type Query } from '../router';
import { common } from '../texts/common';
import { useTexts } from '../texts/dictionary';
import { Icon } from './icons';

export interface Option {
  value: string;
  label: string;
}

export type Filter =
  | { kind: 'many'; name: string; label: string; options: readonly Option[] }
  /* `otherwise` is what nothing chosen means, when that is not all. */
  | { kind: 'one'; name: string; label: string; options: readonly Option[]; otherwise?: string }
  | { kind: 'text'; name: string; label: string }
  | { kind: 'date'; name: string; label: string };

const valuesOf = (text: string | null) => (text === null || text === '' ? [] : text.split(','));

/* What the API is asked for: the filters that the address has. */
export function useFilterQuery(filters: readonly { name: string }[]): Record<string, string> {
  const { query } = useRoute();
  const chosen: Record<string, string> = {};
  for (const { name } of filters) {
    const value = query.get(name);
    if (value !== null && value !== '') {
      chosen[name] = value;
    }
  }
  return chosen;
}

/* A button that opens a list of boxes to tick. */
function Many({ filter, value }: { filter: Filter & { kind: 'many' }; value: string | null }) {
  const t = useTexts(common);
  const f = useFormat();
  const id = useId();
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const chosen = valuesOf(value);
  const known = new Set(filter.options.map((option) => option.value));
  const options = [
    ...filter.options,
    ...chosen.filter((one) => !known.has(one)).map((one) => ({ value: one, label: one })),
  ];
  useEffect(() => {
    if (!open) {
      return undefined;
    }
    const outside = (event: Event) => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) {
        setOpen(false);
      }
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
    };
  }, [open]);
  const toggle = (one: string) => {
    const next = chosen.includes(one) ? chosen.filter((other) => other !== one) : [...chosen, one];
    changeQuery({ [filter.name]: next.join(',') });
  };
  const first = options.find((option) => option.value === chosen[0]);
  const summary =
    chosen.length === 0 ? t.all : chosen.length === 1 ? (first?.label ?? '') : t.chosen(f.number(chosen.length));
  return (
    <div
      class="many"
      ref={root}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && open) {
          setOpen(false);
          root.current?.querySelector('button')?.focus();
        }
      }}
    >
      <button
        type="button"
        class={chosen.length > 0 ? 'field many-button many-chosen' : 'field many-button'}
        aria-expanded={open}
        aria-controls={id}
        aria-label={`${filter.label}: ${summary}`}
        onClick={() => setOpen(!open)}
      >
        <span>{summary}</span>
        <Icon name="chevron" />
      </button>
      {open && (
        <div class="many-list" id={id} role="group" aria-label={filter.label}>
          {options.map((option) => (
            <label key={option.value}>
              <input type="checkbox" checked={chosen.includes(option.value)} onChange={() => toggle(option.value)} />
              <span>{option.label}</span>
            </label>
          ))}
          {options.length === 0 && <p class="empty">{t.none}</p>}
        </div>
      )}
    </div>
  );
}

/* A text is asked for when it stands, not at every letter. */
function TextField({ filter, value, id }: { filter: Filter & { kind: 'text' }; value: string | null; id: string }) {
  const [text, setText] = useState(value ?? '');
  useEffect(() => setText(value ?? ''), [value]);
  useEffect(() => {
    if (text.trim() === (value ?? '')) {
      return undefined;
    }
    const timer = window.setTimeout(() => changeQuery({ [filter.name]: text.trim() }), 400);
    return () => window.clearTimeout(timer);
  }, [text, value, filter.name]);
  return (
    <input
      id={id}
      class="field"
      type="search"
      autocomplete="off"
      spellcheck={false}
      maxLength={64}
      value={text}
      onInput={(event) => setText(event.currentTarget.value)}
    />
  );
}

function Field({ filter, value }: { filter: Filter; value: string | null }) {
  const t = useTexts(common);
  const id = useId();
  const change = (next: string) => changeQuery({ [filter.name]: next });
  if (filter.kind === 'many') {
    return (
      <div class="filter">
        <span class="label" aria-hidden="true">
          {filter.label}
        </span>
        <Many filter={filter} value={value} />
      </div>
    );
  }
  return (
    <div class="filter">
      <label class="label" for={id}>
        {filter.label}
      </label>
      {filter.kind === 'text' && <TextField filter={filter} value={value} id={id} />}
      {filter.kind === 'date' && (
        <input
          id={id}
          class="field"
          type="date"
          value={value ?? ''}
          onChange={(event) => change(event.currentTarget.value)}
        />
      )}
      {filter.kind === 'one' && (
        <select id={id} class="field" value={value ?? ''} onChange={(event) => change(event.currentTarget.value)}>
          <option value="">{filter.otherwise ?? t.all}</option>
          {filter.options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}

/* `more` are asked for less often, and folded away while none of them is in force. */
export function Filters({ filters, more = [] }: { filters: readonly Filter[]; more?: readonly Filter[] }) {
  const t = useTexts(common);
  const { query } = useRoute();
  const [open, setOpen] = useState(false);
  const id = useId();
  const inForce = (list: readonly Filter[]) => list.filter((filter) => (query.get(filter.name) ?? '') !== '').length;
  const count = inForce(filters) + inForce(more);
  const [unfolded, setUnfolded] = useState(inForce(more) > 0);
  const clear = () => {
    const nothing: Query = {};
    for (const filter of [...filters, ...more]) {
      nothing[filter.name] = null;
    }
    changeQuery(nothing);
  };
  return (
    <section class="filters" aria-label={t.filters}>
      <button
        type="button"
        class="button filters-toggle"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        {t.filters}
        {count > 0 && ` (${count})`}
        <Icon name="chevron" />
      </button>
      <div id={id} class={open ? 'filters-fields filters-open' : 'filters-fields'}>
        {filters.map((filter) => (
          <Field key={filter.name} filter={filter} value={query.get(filter.name)} />
        ))}
        {unfolded && more.map((filter) => <Field key={filter.name} filter={filter} value={query.get(filter.name)} />)}
        {more.length > 0 && (
          <button
            type="button"
            class="button button-quiet"
            aria-expanded={unfolded}
            onClick={() => setUnfolded(!unfolded)}
          >
            {unfolded ? t.fewerFilters : t.moreFilters}
          </button>
        )}
        {count > 0 && (
          <button type="button" class="button button-quiet" onClick={clear}>
            {t.clearFilters}
          </button>
        )}
      </div>
    </section>
  );
}
