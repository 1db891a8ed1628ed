/* What is to be done after events. */
import { useCallback, useEffect, useRef } from 'preact/hooks';

/* Spread, as everybody who is watching hears of an event at the same moment. */
const SOON_MS = 500;
const SPREAD_MS = 1500;
/* And not more often than somebody can read it. */
const PAUSE_MS = 10_000;

/* Gives a function after which `run` is called once, soon; calling it again meanwhile changes nothing. */
export function useSoon(run: () => void): () => void {
  const latest = useRef(run);
  latest.current = run;
  const state = useRef<{ timer: number | undefined; last: number }>({ timer: undefined, last: -PAUSE_MS });
  useEffect(() => () => window.clearTimeout(state.current.timer), []);
  return useCallback(() => {
    const now = state.current;
    const pause = now.last + PAUSE_MS - performance.now();
    now.timer ??= window.setTimeout(
      () => {
        now.timer = undefined;
        now.last = performance.now();
        latest.current();
      },
      Math.max(SOON_MS + Math.random() * SPREAD_MS, pause),
    );
  }, []);
}
