/* A secret that is shown once. */
import { useState } from 'preact/hooks';
import { administrationTexts } from '../texts/administration';
import { useTexts } from '../texts/dictionary';
import { Dialog } from './dialog';

export function SecretDialog({ name, secret, close }: { name: string; secret: string; close: () => void }) {
  const t = useTexts(administrationTexts);
  const [said, setSaid] = useState('');
  const copy = () => {
    // Without TLS a browser has no clipboard for pages.
    const done = navigator.clipboard?.writeText(secret) ?? Promise.reject(new Error());
    done.then(
      () => setSaid(t.copied),
      () => setSaid(t.notCopied),
    );
  };
  return (
    <Dialog title={t.secretTitle(name)} close={close}>
      <div class="form">
        <p class="note note-warning">{t.once}</p>
        <code class="secret" tabIndex={0}>
          {secret}
        </code>
        <p class="hint" role="status">
          {said}
        </p>
        <div class="form-end">
          <button type="button" class="button" onClick={copy}>
            {t.copy}
          </button>
          <button type="button" class="button button-main" onClick={close}>
            {t.close}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
