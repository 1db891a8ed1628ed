/*
 * A list that is live. A row that changes is changed in its place. A row that is new waits until the reader asks for it,
 * so that nothing moves under their eyes or hands; the server says which new rows belong to the list.
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Backoff } from './backoff';
import type { Paged } from './components/paged';
import { subscribeLive, type LiveListener } from './live';

/* How many ids the API takes at once, and how many may wait to be asked for before the list has to be read anew. */
const IDS_MAX = 100;
const CANDIDATES_MAX = 500;
/* Asking is spread, as everybody who is watching hears of an event at the same moment. */
const ASK_MS = 500;
const ASK_SPREAD_MS = 1500;
const RETRY_MS = 10_000;
const RETRY_MAX_MS = 60_000;

export interface LiveSource<T, C> {
  /* Of the list; everything begins anew with it. */
  key: string;
  list: Paged<T>;
  listen: (take: (core: C) => void) => LiveListener;
  idOf: (core: C) => string;
  /* The row after the event; null: the event is older than the row. */
  merge: (row: T, core: C) => T | null;
  /* False for what cannot belong to the list. */
  mayBelong: (core: C) => boolean;
  /* Which of these ids are in the list. */
  ask: (ids: string[], signal: AbortSignal) => Promise<T[]>;
  compare: (a: T, b: T) => number;
}

export interface LiveRows {
  /* New rows that the list does not show. */
  waiting: number;
  /* So many that the list has to be read anew, which `show` does. */
  tooMany: boolean;
  /* Shows them, and gives the id of the first. */
  show: () => string | null;
  /* Ids of rows that came or changed while the list was shown. */
  marked: ReadonlySet<string>;
}

interface State<T> {
  candidates: Set<string>;
  waiting: Map<string, T>;
  timer: number | undefined;
  asking: AbortController | null;
  backoff: Backoff;
}

const emptyState = <T>(): State<T> => ({
  candidates: new Set(),
  waiting: new Map(),
  timer: undefined,
  asking: null,
  backoff: new Backoff(RETRY_MS, RETRY_MAX_MS),
});

export function useLiveRows<T extends C, C>(source: LiveSource<T, C>): LiveRows {
  const latest = useRef(source);
  latest.current = source;
  const state = useRef(emptyState<T>());
  const [waiting, setWaiting] = useState(0);
  const [tooMany, setTooMany] = useState(false);
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());

  const mark = useCallback((ids: readonly string[]) => setMarked((before) => new Set([...before, ...ids])), []);

  const ask = useCallback(async () => {
    const now = state.current;
    const { ask: answer, idOf } = latest.current;
    now.timer = undefined;
    const ids = [...now.candidates].slice(0, IDS_MAX);
    ids.forEach((id) => now.candidates.delete(id));
    now.asking = new AbortController();
    const { signal } = now.asking;
    try {
      const rows = await answer(ids, signal);
      if (signal.aborted) {
        return;
      }
      // What changed since it began to wait may no longer belong to the list.
      ids.forEach((id) => now.waiting.delete(id));
      rows.forEach((row) => now.waiting.set(idOf(row), row));
      now.backoff.reset();
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      // Without an answer they are asked for again.
      ids.forEach((id) => now.candidates.add(id));
      now.asking = null;
      plan(now.backoff.next(error));
      return;
    }
    now.asking = null;
    setWaiting(now.waiting.size);
    plan();
  }, []);

  const plan = useCallback((pause: number = ASK_MS + Math.random() * ASK_SPREAD_MS) => {
    const now = state.current;
    if (now.candidates.size > 0 && now.timer === undefined && now.asking === null) {
      now.timer = window.setTimeout(() => void ask(), pause);
    }
  }, []);

  const take = useCallback((core: C) => {
    const { list, idOf, merge, mayBelong } = latest.current;
    const now = state.current;
    const id = idOf(core);
    if (list.rows?.some((row) => idOf(row) === id) === true) {
      list.update((rows) => rows.map((row) => (idOf(row) === id ? (merge(row, core) ?? row) : row)));
      mark([id]);
    } else if (now.waiting.has(id) || mayBelong(core)) {
      if (now.candidates.size + now.waiting.size >= CANDIDATES_MAX) {
        setTooMany(true);
        return;
      }
      now.candidates.add(id);
      plan();
    }
  }, []);

  useEffect(() => {
    const stop = subscribeLive({ ...latest.current.listen(take), gap: () => setTooMany(true) });
    return () => {
      stop();
      window.clearTimeout(state.current.timer);
      state.current.asking?.abort();
      state.current = emptyState();
      setWaiting(0);
      setTooMany(false);
      setMarked(new Set());
    };
  }, [source.key]);

  const show = useCallback(() => {
    const { list, idOf, compare } = latest.current;
    const now = state.current;
    if (tooMany || list.rows === null) {
      now.candidates.clear();
      now.waiting.clear();
      setTooMany(false);
      setWaiting(0);
      setMarked(new Set());
      list.reload();
      return null;
    }
    const shown = new Set(list.rows.map(idOf));
    const fresh = [...now.waiting.values()].filter((row) => !shown.has(idOf(row))).sort(compare);
    now.waiting.clear();
    setWaiting(0);
    mark(fresh.map(idOf));
    list.update((rows) => {
      const merged = [...rows];
      for (const row of fresh) {
        const at = merged.findIndex((other) => compare(row, other) < 0);
        merged.splice(at < 0 ? merged.length : at, 0, row);
      }
      return merged;
    });
    return fresh[0] === undefined ? null : idOf(fresh[0]);
  }, [tooMany]);

  return { waiting, tooMany, show, marked };
}
