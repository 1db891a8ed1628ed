/* Short messages about what was just done; read out by screen readers, gone after a while. */
import { createStore, useStore } from '../store';
import { common } from '../texts/common';
import { useTexts } from '../texts/dictionary';
import { Icon } from './icons';

interface Toast {
  id: number;
  text: string;
  tone: 'good' | 'critical';
}

const SHOWN_MS = 8_000;
const SHOWN_MAX = 4;
const toastStore = createStore<Toast[]>([]);
let lastId = 0;

function remove(id: number): void {
  toastStore.set(toastStore.get().filter((toast) => toast.id !== id));
}

export function showToast(text: string, tone: Toast['tone'] = 'good'): void {
  const id = ++lastId;
  toastStore.set([...toastStore.get(), { id, text, tone }].slice(-SHOWN_MAX));
  window.setTimeout(() => remove(id), SHOWN_MS);
}

export function Toasts() {
  const toasts = useStore(toastStore);
  const t = useTexts(common);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.map((toast) => (
        <div key={toast.id} class={`toast toast-${toast.tone}`}>
          <Icon name={toast.tone === 'good' ? 'check' : 'warning'} />
          <span>{toast.text}</span>
          <button type="button" class="button button-icon" aria-label={t.close} onClick={() => remove(toast.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
