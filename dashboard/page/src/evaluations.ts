/*
 * Evaluations that were reported in this window and are on their way through Kafka: until the stream says that the
 * alert was resolved.
 */
import { subscribeLive } from './live';
import { currentLanguage } from './preferences';
import { createStore, useStore } from './store';
import { showToast } from './components/toast';
import { alertActionTexts } from './texts/alert_actions';

const expected = createStore<ReadonlySet<string>>(new Set());

function without(id: string): ReadonlySet<string> {
  const next = new Set(expected.get());
  next.delete(id);
  return next;
}

subscribeLive({
  alert(alert) {
    if (alert.status === 'RESOLVED' && expected.get().has(alert.alert_id)) {
      expected.set(without(alert.alert_id));
      showToast(alertActionTexts[currentLanguage()].processed(alert.decision));
    }
  },
});

/* Called before the report is sent: what comes of it may be here before the server's answer. */
export function expectResolved(id: string): void {
  expected.set(new Set([...expected.get(), id]));
}

/* It was not sent, or resolves nothing. */
export function expectNothing(id: string): void {
  expected.set(without(id));
}

export const isExpected = (id: string): boolean => expected.get().has(id);

export const useExpected = (id: string): boolean => useStore(expected).has(id);
