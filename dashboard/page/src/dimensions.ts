/* The values by which lists are filtered; asked for once for all pages. */
import { useMemo } from 'preact/hooks';
import { dimensions as ask } from './api/calls';
import type { Dimensions } from './api/types';
import { Backoff } from './backoff';
import type { Filter } from './components/filters';
import { ME, NOBODY } from './list_query';
import { createStore, useStore } from './store';
import { common } from './texts/common';
import { domain } from './texts/domain';
import { useTexts } from './texts/dictionary';

const RETRY_MS = 10_000;
const RETRY_MAX_MS = 60_000;
const store = createStore<Dimensions | null>(null);
let asking = new AbortController();

/* Called when somebody has logged in; until there is an answer the filters have no options. */
export function loadDimensions(): void {
  const { signal } = (asking = new AbortController());
  const backoff = new Backoff(RETRY_MS, RETRY_MAX_MS);
  const load = () => {
    ask(signal).then(
      (answer) => store.set(answer),
      (error: unknown) => {
        if (!signal.aborted) {
          signal.addEventListener('abort', backoff.wait(error, load));
        }
      },
    );
  };
  load();
}

export function forgetDimensions(): void {
  asking.abort();
  store.set(null);
}

export const useDimensions = (): Dimensions | null => useStore(store);

const plain = (values: readonly string[]) => values.map((value) => ({ value, label: value }));

/* The filters that nearly every list has. */
export function useCommonFilters(): {
  municipality: Filter;
  provider: Filter;
  product: Filter;
  law: Filter;
  model: Filter;
  client: Filter;
  assignee: Filter;
} {
  const t = useTexts(domain);
  const shared = useTexts(common);
  const values = useDimensions();
  return useMemo(
    () => ({
      municipality: {
        kind: 'many',
        name: 'municipality',
        label: t.municipality,
        options: plain(values?.municipalities ?? []),
      },
      provider: { kind: 'many', name: 'provider', label: t.provider, options: plain(values?.providers ?? []) },
      product: {
        kind: 'many',
        name: 'product',
        label: t.product,
        options: plain([...new Set((values?.products ?? []).map((product) => product.product))]),
      },
      law: {
        kind: 'many',
        name: 'law',
        label: t.lawLabel,
        options: (values?.laws ?? []).map((law) => ({ value: law, label: t.law[law] })),
      },
      model: {
        kind: 'many',
        name: 'model',
        label: t.modelLabel,
        options: (values?.models ?? []).map((model) => ({ value: model, label: t.model[model] })),
      },
      client: { kind: 'text', name: 'client', label: t.client },
      assignee: {
        kind: 'one',
        name: 'assignee',
        label: shared.assigned,
        otherwise: shared.everyone,
        options: [
          { value: ME, label: shared.me },
          { value: NOBODY, label: shared.nobody },
          ...plain(values?.assignees ?? []),
        ],
      },
    }),
    [t, shared, values],
  );
}

/* Open ones unless said; each list has its own words for it. */
export function statusFilter(texts: {
  status: string;
  statusOpen: string;
  statusResolved: string;
  statusBoth: string;
}): Filter {
  return {
    kind: 'one',
    name: 'status',
    label: texts.status,
    otherwise: texts.statusOpen,
    options: [
      { value: 'RESOLVED', label: texts.statusResolved },
      { value: 'OPEN,RESOLVED', label: texts.statusBoth },
    ],
  };
}
