/* A list that grows page by page: its rows so far, and a button for more. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from '../api/client';
import type { Page } from '../api/types';
import { useFormat } from '../format';
import { isPassing, useOlderMark, useRetry } from '../load';
import { common } from '../texts/common';
import { useTexts } from '../texts/dictionary';
import { ProblemNote } from './states';

export interface Paged<T> {
  rows: T[] | null;
  /* Whether there are more rows. */
  more: boolean;
  /* Of rows that are missing; when rows in hand could not be renewed, the page says so. */
  problem: Problem | null;
  loading: boolean;
  loadMore: () => void;
  reload: () => void;
  /* Changes the rows in hand, for what was done to one of them. */
  update: (change: (rows: T[]) => T[]) => void;
}

/* A row that changed may come once more on a later page; it stays where the reader saw it. */
function joined<T>(before: T[], more: T[], idOf: ((row: T) => string) | undefined): T[] {
  if (idOf === undefined) {
    return [...before, ...more];
  }
  const fresh = new Map(more.map((row) => [idOf(row), row]));
  const kept = before.map((row) => {
    const again = fresh.get(idOf(row));
    fresh.delete(idOf(row));
    return again ?? row;
  });
  return [...kept, ...fresh.values()];
}

/* Starts anew whenever `key` changes. Rows that may change need an id. */
export function usePaged<T>(
  key: string,
  load: (after: string | null, signal: AbortSignal) => Promise<Page<T>>,
  idOf?: (row: T) => string,
): Paged<T> {
  const [rows, setRows] = useState<T[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isOfMore, setIsOfMore] = useState(false);
  const [loading, setLoading] = useState(true);
  const [turn, setTurn] = useState(0);
  const latest = useRef({ key, load, idOf });
  const shown = useRef({ key, at: 0 });
  const running = useRef<AbortController | null>(null);
  latest.current = { key, load, idOf };

  const run = useCallback((after: string | null) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setLoading(true);
    latest.current.load(after, controller.signal).then(
      (page) => {
        if (!controller.signal.aborted) {
          if (after === null) {
            shown.current = { key: latest.current.key, at: Date.now() };
          }
          setRows((before) =>
            after === null || before === null ? page.items : joined(before, page.items, latest.current.idOf),
          );
          setNext(page.next);
          setProblem(null);
          setLoading(false);
        }
      },
      (error: unknown) => {
        if (!controller.signal.aborted) {
          const met = asProblem(error);
          // The rows of another question, or that may be seen no more, do not stay.
          if (!isPassing(met) || shown.current.key !== latest.current.key) {
            setRows(null);
            setNext(null);
          }
          setProblem(met);
          setIsOfMore(after !== null);
          setLoading(false);
        }
      },
    );
  }, []);

  useEffect(() => {
    run(null);
    return () => running.current?.abort();
  }, [key, turn]);

  const reload = useCallback(() => setTurn((before) => before + 1), []);
  // What the reader asked for by hand is theirs to try again.
  useRetry(isOfMore ? null : problem, reload);
  useOlderMark(problem !== null && !isOfMore && rows !== null, shown.current.at);
  return {
    rows,
    more: next !== null,
    problem: rows === null || isOfMore ? problem : null,
    loading,
    loadMore: () => run(next),
    reload,
    update: (change) => setRows((before) => (before === null ? null : change(before))),
  };
}

export function PagedEnd<T>({ list }: { list: Paged<T> }) {
  const t = useTexts(common);
  const f = useFormat();
  if (list.problem !== null) {
    return <ProblemNote problem={list.problem} retry={list.rows === null ? list.reload : list.loadMore} />;
  }
  if (list.rows === null || list.rows.length === 0) {
    return null;
  }
  return (
    <div class="paged-end">
      <span role="status">{t.moreOf(f.number(list.rows.length))}</span>
      {list.more && (
        <button type="button" class="button" disabled={list.loading} onClick={list.loadMore}>
          {t.more}
        </button>
      )}
    </div>
  );
}
