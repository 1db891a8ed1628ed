/* Loading what a component shows. What was shown before stays until the new answer is there. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from './api/client';

export interface Loaded<T> {
  data: T | null;
  problem: Problem | null;
  loading: boolean;
  reload: () => void;
}

/* Loads anew whenever `key` changes; null loads nothing. `load` has to depend on nothing but what the key says. */
export function useLoad<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [data, setData] = useState<T | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState(key !== null);
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    if (key === null) {
      return undefined;
    }
    const controller = new AbortController();
    setLoading(true);
    latest.current(controller.signal).then(
      (answer) => {
        if (!controller.signal.aborted) {
          setData(() => answer);
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
    return () => controller.abort();
  }, [key, turn]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { data, problem, loading, reload };
}
