/* What stands where data is not (yet) there. */
import type { ComponentChildren } from 'preact';
import type { Problem } from '../api/client';
import { useFormat } from '../format';
import { useOlder, type Loaded } from '../load';
import { common } from '../texts/common';
import { useTexts } from '../texts/dictionary';
import { Icon } from './icons';

export function Loading() {
  const t = useTexts(common);
  return (
    <p class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      {t.loading}
    </p>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export function useProblemText(): (problem: Problem) => string {
  const t = useTexts(common).problem;
  return (problem) => {
    switch (problem.status) {
      case 0:
        return t.away;
      case 400:
        return t.bad;
      case 401:
        return t.unauthorized;
      case 403:
        return t.forbidden;
      case 404:
        return t.notFound;
      case 409:
        return t.conflict;
      case 413:
      case 422:
        return t.tooMuch;
      case 429:
      case 503:
        return t.busy;
      default:
        return t.other;
    }
  };
}

export function ProblemNote({ problem, retry }: { problem: Problem; retry?: (() => void) | undefined }) {
  const t = useTexts(common);
  const text = useProblemText();
  return (
    <div class="note note-critical" role="alert">
      <Icon name="warning" />
      <div>
        <p>{text(problem)}</p>
        <details open={problem.status === 400}>
          <summary>{t.details}</summary>
          <code>
            {problem.status} {problem.detail}
          </code>
        </details>
        {retry !== undefined && (
          <button type="button" class="button" onClick={retry}>
            {t.retry}
          </button>
        )}
      </div>
    </div>
  );
}

/* Of the whole page: what stands there could not be renewed. */
export function OlderNote() {
  const t = useTexts(common);
  const f = useFormat();
  const since = useOlder();
  return (
    <div class="older" role="status">
      {since !== null && (
        <p class="note note-plain">
          <Icon name="warning" />
          {t.older(f.time(new Date(since).toISOString()))}
        </p>
      )}
    </div>
  );
}

/* Draws what was loaded; what was there before stays while something new is loaded. */
export function Await<T>({ of, children }: { of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  if (of.data === null) {
    return of.problem === null ? <Loading /> : <ProblemNote problem={of.problem} retry={of.reload} />;
  }
  return (
    <div class={of.loading ? 'stale' : undefined} aria-busy={of.loading}>
      {children(of.data)}
    </div>
  );
}
