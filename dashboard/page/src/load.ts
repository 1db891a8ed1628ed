/*
 * Loading what a component shows. What was shown before stays until the new answer is there. Where the server gives none
 * for now, it stays as well, the page says that it is older, and it is asked for again.
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from './api/client';
import { Backoff } from './backoff';
import { createStore, useStore } from './store';

export interface Loaded<T> {
  data: T | null;
  problem: Problem | null;
  loading: boolean;
  reload: () => void;
}

/* The server was not reached, is busy, or failed: it may answer later. */
export const isPassing = ({ status }: Problem): boolean => status === 0 || status === 429 || status >= 500;

const RETRY_MS = 5_000;
const RETRY_MAX_MS = 60_000;

/* Runs `again` while the problem may pass, later each time. */
export function useRetry(problem: Problem | null, again: () => void): void {
  const [backoff] = useState(() => new Backoff(RETRY_MS, RETRY_MAX_MS));
  const latest = useRef(again);
  latest.current = again;
  useEffect(() => {
    if (problem === null || !isPassing(problem)) {
      backoff.reset();
      return undefined;
    }
    return backoff.wait(problem, () => latest.current());
  }, [problem]);
}

/* What is shown although it could not be renewed: by its place, when it came, in milliseconds. */
const olderStore = createStore<ReadonlyMap<object, number>>(new Map());

/* Says so for one place while `is`. */
export function useOlderMark(is: boolean, loadedAt: number): void {
  useEffect(() => {
    if (!is) {
      return undefined;
    }
    const place = {};
    olderStore.set(new Map([...olderStore.get(), [place, loadedAt]]));
    return () => olderStore.set(new Map([...olderStore.get()].filter(([other]) => other !== place)));
  }, [is, loadedAt]);
}

/* When the oldest of that came; null: all is as it should be. */
export function useOlder(): number | null {
  const older = useStore(olderStore);
  return older.size === 0 ? null : Math.min(...older.values());
}

/* Loads anew whenever `key` changes. `load` has to depend on nothing but what the key says. */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [data, setData] = useState<T | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState(true);
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  const shown = useRef({ key, at: 0 });
  latest.current = load;
  useEffect(() => {
    const controller = new AbortController();
    setLoading(true);
    latest.current(controller.signal).then(
      (answer) => {
        if (!controller.signal.aborted) {
          shown.current = { key, at: Date.now() };
          setData(() => answer);
          setProblem(null);
          setLoading(false);
        }
      },
      (error: unknown) => {
        if (!controller.signal.aborted) {
          const met = asProblem(error);
          // What was asked for otherwise, or may be seen no more, does not stay.
          if (!isPassing(met) || shown.current.key !== key) {
            setData(null);
          }
          setProblem(met);
          setLoading(false);
        }
      },
    );
    return () => controller.abort();
  }, [key, turn]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  useRetry(problem, reload);
  useOlderMark(problem !== null && data !== null, shown.current.at);
  return { data, problem, loading, reload };
}
