/*
 * When the server is asked again after it gave no answer: later each time, never before it said so itself (Retry-After),
 * and spread by chance, since all who lost it at the same moment would come back at the same moment.
 */
import { Problem } from './api/client';

export class Backoff {
  private tries = 0;

  /* Pauses begin at about `firstMs` and grow to about `mostMs`. */
  constructor(
    private readonly firstMs: number,
    private readonly mostMs: number,
  ) {}

  /* How long to wait after what went wrong, in milliseconds. */
  next(error: unknown): number {
    const usual = Math.min(this.firstMs * 2 ** this.tries, this.mostMs);
    const asked = error instanceof Problem ? error.retryAfterMs : 0;
    this.tries++;
    return Math.max(usual / 2, asked) + Math.random() * usual;
  }

  /*
   * Calls `again` after that pause, or at once when the browser has a network again, unless the server was reached and
   * asked to wait. Gives what ends the waiting.
   */
  wait(error: unknown, again: () => void): () => void {
    const run = () => {
      stop();
      again();
    };
    const timer = window.setTimeout(run, this.next(error));
    const stop = () => {
      window.clearTimeout(timer);
      window.removeEventListener('online', run);
    };
    if (!(error instanceof Problem && error.retryAfterMs > 0)) {
      window.addEventListener('online', run);
    }
    return stop;
  }

  /* It answered: the next loss is a first one. */
  reset(): void {
    this.tries = 0;
  }
}
