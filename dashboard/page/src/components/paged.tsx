/* A list that grows page by page: its rows so far, and a button for more. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from '../api/client';
import type { Page } from '../api/types';
import { useFormat } from '../format';
import { common } from '../texts/common';
import { useTexts } from '../texts/dictionary';
import { ProblemNote } from './states';

export interface Paged<T> {
  rows: T[] | null;
  /* Whether there are more rows. */
  more: boolean;
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
  const [loading, setLoading] = useState(true);
  const [turn, setTurn] = useState(0);
  const latest = useRef({ load, idOf });
  const running = useRef<AbortController | null>(null);
  latest.current = { load, idOf };

  const run = useCallback((after: string | null) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setLoading(true);
    latest.current.load(after, controller.signal).then(
      (page) => {
        if (!controller.signal.aborted) {
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
          setProblem(error instanceof Problem ? error : new Problem(0, String(error)));
          setLoading(false);
        }
      },
    );
  }, []);

  useEffect(() => {
    run(null);
    return () => running.current?.abort();
  }, [key, turn]);

  return {
    rows,
    more: next !== null,
    problem,
    loading,
    loadMore: () => run(next),
    reload: () => setTurn((before) => before + 1),
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
