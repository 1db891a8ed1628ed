/*
 * Alerts and signals as they happen: one stream for the whole page. After a loss the page comes back with the position
 * that it was told last, and misses nothing.
 */
import { address, call } from './api/client';
import type { AlertCore, AnomalyCore, Session } from './api/types';
import { Backoff } from './backoff';
import { createStore, useStore } from './store';

export type LiveState = 'connecting' | 'live' | 'away';

export interface LiveListener {
  alert?: (alert: AlertCore) => void;
  anomaly?: (anomaly: AnomalyCore) => void;
  /* Events were lost for good: what is shown has to be read again. */
  gap?: () => void;
}

const RETRY_MS = 2_000;
const RETRY_MAX_MS = 30_000;
const liveStore = createStore<LiveState>('connecting');
const listeners = new Set<LiveListener>();
let source: EventSource | null = null;
const backoff = new Backoff(RETRY_MS, RETRY_MAX_MS);
let stopWaiting = (): void => undefined;
let lastEventId = '';

function remember(event: MessageEvent<string>): void {
  if (event.lastEventId !== '') {
    lastEventId = event.lastEventId;
  }
}

function open(): void {
  const stream = new EventSource(address('stream', { last_event_id: lastEventId === '' ? null : lastEventId }));
  source = stream;
  stream.addEventListener('open', () => {
    liveStore.set('live');
    backoff.reset();
  });
  stream.addEventListener('position', remember);
  stream.addEventListener('alert', (event: MessageEvent<string>) => {
    remember(event);
    const alert = JSON.parse(event.data) as AlertCore;
    listeners.forEach((listener) => listener.alert?.(alert));
  });
  stream.addEventListener('anomaly', (event: MessageEvent<string>) => {
    remember(event);
    const anomaly = JSON.parse(event.data) as AnomalyCore;
    listeners.forEach((listener) => listener.anomaly?.(anomaly));
  });
  stream.addEventListener('gap', () => listeners.forEach((listener) => listener.gap?.()));
  stream.addEventListener('error', () => {
    if (source === stream) {
      liveStore.set('away');
      // The browser itself would come back after the same pause in every window, and after a refusal (401, 429, 503) never.
      const refused = stream.readyState === EventSource.CLOSED;
      stream.close();
      stopWaiting = backoff.wait(null, refused ? ask : resume);
    }
  });
}

function resume(): void {
  open();
  // Without a position the new stream starts at its own now.
  if (lastEventId === '') {
    listeners.forEach((listener) => listener.gap?.());
  }
}

/*
 * A stream does not say why it was refused. This call does: it is told how long to wait, and a session that has ended shows
 * in it and then ends everything.
 */
function ask(): void {
  const before = source;
  call<Session>('GET', 'session').then(
    () => {
      if (source === before) {
        resume();
      }
    },
    (error: unknown) => {
      if (source === before && source !== null) {
        stopWaiting = backoff.wait(error, ask);
      }
    },
  );
}

export function startLive(): void {
  stopLive();
  open();
}

export function stopLive(): void {
  stopWaiting();
  backoff.reset();
  source?.close();
  source = null;
  lastEventId = '';
  liveStore.set('connecting');
}

export function subscribeLive(listener: LiveListener): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export const useLiveState = (): LiveState => useStore(liveStore);
