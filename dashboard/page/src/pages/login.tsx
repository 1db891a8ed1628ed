import { useEffect, useState } from 'preact/hooks';
import { asProblem } from '../api/client';
import { useProblemText } from '../components/states';
import { login } from '../session';
import { common } from '../texts/common';
import { loginTexts } from '../texts/login';
import { useTexts } from '../texts/dictionary';

export function LoginPage({ expired }: { expired: boolean }) {
  const t = useTexts(loginTexts);
  const { brand } = useTexts(common);
  const problemText = useProblemText();
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    document.title = `${t.title} – ${brand}`;
  }, [t, brand]);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await login(token.trim());
    } catch (caught) {
      const problem = asProblem(caught);
      // A text that no token can be is a bad request to the server.
      setError(problem.status === 401 || problem.status === 400 ? t.wrong : problemText(problem));
      setBusy(false);
    }
  };
  return (
    <div class="login">
      <form class="card" onSubmit={(event) => void submit(event)}>
        <h1 tabIndex={-1}>{t.title}</h1>
        <p class="muted">{t.intro}</p>
        {expired && error === null && (
          <p class="note note-info" role="status">
            {t.expired}
          </p>
        )}
        <label class="label" for="token">
          {t.token}
        </label>
        <input
          id="token"
          class="field"
          type="password"
          autocomplete="current-password"
          required
          maxLength={100}
          value={token}
          aria-describedby="token-hint"
          aria-invalid={error !== null}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <p id="token-hint" class="hint">
          {t.hint}
        </p>
        {error !== null && (
          <p class="note note-critical" role="alert">
            {error}
          </p>
        )}
        <button type="submit" class="button button-main" disabled={busy || token.trim() === ''}>
          {t.submit}
        </button>
      </form>
    </div>
  );
}
