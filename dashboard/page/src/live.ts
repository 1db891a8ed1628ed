/*
 * Alerts and signals as they happen: one stream for the whole page. The browser comes back by itself after a loss,
 * with the id of the last event, and misses nothing.
 */
import { address, call } from './api/client';
import type { AlertCore, AnomalyCore, Session } from './api/types';
import { createStore, useStore } from './store';

export type LiveState = 'connecting' | 'live' | 'away';

export interface LiveListener {
  alert?: (alert: AlertCore) => void;
  anomaly?: (anomaly: AnomalyCore) => void;
  /* Events were lost for good: what is shown has to be read again. */
  gap?: () => void;
}

const RETRY_MS = 10_000;
const liveStore = createStore<LiveState>('connecting');
const listeners = new Set<LiveListener>();
let source: EventSource | null = null;
let retry: number | undefined;
let lastEventId = '';

function remember(event: MessageEvent<string>): void {
  if (event.lastEventId !== '') {
    lastEventId = event.lastEventId;
  }
}

function open(): void {
  const stream = new EventSource(address('stream', { last_event_id: lastEventId === '' ? null : lastEventId }));
  source = stream;
  stream.addEventListener('open', () => liveStore.set('live'));
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
    liveStore.set('away');
    // A refusal (401, 429, 503) closes it for good; only a lost connection is tried again by the browser.
    if (stream.readyState === EventSource.CLOSED && source === stream) {
      retryLater();
    }
  });
}

function retryLater(): void {
  window.clearTimeout(retry);
  retry = window.setTimeout(again, RETRY_MS);
}

/* A stream does not say why it was refused. A session that has ended shows in this call, which then ends everything. */
function again(): void {
  const before = source;
  call<Session>('GET', 'session').then(
    () => {
      if (source !== before) {
        return;
      }
      open();
      // Without a position the new stream starts at its own now.
      if (lastEventId === '') {
        listeners.forEach((listener) => listener.gap?.());
      }
    },
    () => {
      if (source === before && source !== null) {
        retryLater();
      }
    },
  );
}

export function startLive(): void {
  stopLive();
  open();
}

export function stopLive(): void {
  window.clearTimeout(retry);
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
