/* Asking the server. What goes wrong is a Problem, with the status by which the page tells people what to do. */

export class Problem extends Error {
  /*
   * 0: the server was not reached. `detail` is the server's, in English, for administrators. `retryAfterMs`: how long it
   * asked not to be asked again.
   */
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly clients: string[] = [],
    readonly retryAfterMs = 0,
  ) {
    super(`${status} ${detail}`);
    this.name = 'Problem';
  }
}

export const asProblem = (error: unknown): Problem => (error instanceof Problem ? error : new Problem(0, String(error)));

export type Parameters = Record<string, string | number | boolean | null | undefined>;

interface Asked {
  query?: Parameters;
  body?: unknown;
  signal?: AbortSignal;
}

const BASE = 'api/v1/';
const TIMEOUT_MS = 60_000;
/* What is before the server may announce hours of maintenance; somebody at a page looks again before that. */
const RETRY_AFTER_MAX_MS = 300_000;

let csrfToken: string | null = null;
let unauthorized: () => void = () => undefined;

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

export function onUnauthorized(listener: () => void): void {
  unauthorized = listener;
}

/* The address of a call; also for links to CSV. An empty text is a value: `assignee=` asks for nobody's. Segments of `path` are encoded by the caller (see `segment`). */
export function address(path: string, query: Parameters = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) {
      parameters.set(name, String(value));
    }
  }
  const text = parameters.toString();
  return BASE + path + (text === '' ? '' : `?${text}`);
}

export const segment = encodeURIComponent;

/* Seconds, or a date. */
function retryAfterMs(response: Response): number {
  const value = response.headers.get('Retry-After') ?? '';
  const pause = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(pause) ? 0 : Math.min(Math.max(pause, 0), RETRY_AFTER_MAX_MS);
}

async function problemOf(response: Response): Promise<Problem> {
  const pause = retryAfterMs(response);
  try {
    const body = (await response.json()) as { detail?: string; clients?: string[] };
    return new Problem(response.status, body.detail ?? response.statusText, body.clients ?? [], pause);
  } catch {
    return new Problem(response.status, response.statusText, [], pause);
  }
}

/* Ends with whichever comes first: the caller's signal or the deadline. */
function deadline(signal: AbortSignal | undefined): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = window.setTimeout(abort, TIMEOUT_MS);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted === true) {
    abort();
  }
  return {
    signal: controller.signal,
    end: () => {
      window.clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}

export async function call<T>(method: string, path: string, asked: Asked = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  const request: RequestInit = { method, headers, credentials: 'same-origin', redirect: 'error' };
  const limit = deadline(asked.signal);
  if (asked.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    request.body = JSON.stringify(asked.body);
  }
  if (method !== 'GET' && csrfToken !== null) {
    headers['X-CSRF-Token'] = csrfToken;
  }
  request.signal = limit.signal;
  try {
    const response = await fetch(address(path, asked.query), request);
    if (response.status === 401 && !(method === 'POST' && path === 'session')) {
      unauthorized();
    }
    if (!response.ok) {
      throw await problemOf(response);
    }
    return (response.status === 204 ? null : await response.json()) as T;
  } catch (error) {
    if (error instanceof Problem || asked.signal?.aborted === true) {
      throw error;
    }
    throw new Problem(0, error instanceof Error ? error.message : String(error));
  } finally {
    limit.end();
  }
}
