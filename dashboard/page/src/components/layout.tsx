/* Header with the navigation and the reader's choices, and the main part. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import type { Session } from '../api/types';
import { useLiveState } from '../live';
import { setLanguage, setTheme, useLanguage, useTheme, type Theme } from '../preferences';
import { href, useRoute } from '../router';
import { logout } from '../session';
import { common } from '../texts/common';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';
import { pagesFor } from '../pages';
import { Icon } from './icons';
import { useProblemText } from './states';
import { showToast, Toasts } from './toast';
import { Problem } from '../api/client';

function Navigation({ session }: { session: Session }) {
  const t = useTexts(common).nav;
  const { path } = useRoute();
  return (
    <nav aria-label={t.label}>
      <ul class="nav">
        {pagesFor(session)
          .filter((page) => page.label !== null)
          .map((page) => (
            <li key={page.name}>
              <a
                href={href(page.name === 'overview' ? [] : [page.name])}
                aria-current={(path[0] ?? 'overview') === page.name ? 'page' : undefined}
              >
                {page.label !== null && t[page.label]}
              </a>
            </li>
          ))}
      </ul>
    </nav>
  );
}

function Choices() {
  const t = useTexts(common);
  const language = useLanguage();
  const theme = useTheme();
  const id = useId();
  return (
    <div class="choices">
      <div class="segmented" role="group" aria-label={t.language}>
        <button
          type="button"
          lang="nl"
          aria-pressed={language === 'nl'}
          aria-label="NL, Nederlands"
          onClick={() => setLanguage('nl')}
        >
          NL
        </button>
        <button
          type="button"
          lang="en"
          aria-pressed={language === 'en'}
          aria-label="EN, English"
          onClick={() => setLanguage('en')}
        >
          EN
        </button>
      </div>
      <label class="hidden" for={id}>
        {t.theme.label}
      </label>
      <select
        id={id}
        class="field field-small"
        value={theme}
        onChange={(event) => setTheme(event.currentTarget.value as Theme)}
      >
        <option value="system">{t.theme.system}</option>
        <option value="light">{t.theme.light}</option>
        <option value="dark">{t.theme.dark}</option>
      </select>
    </div>
  );
}

function LiveMark() {
  const t = useTexts(common).live;
  const state = useLiveState();
  return (
    <span class={`live live-${state}`} role="status">
      <span class="live-dot" aria-hidden="true" />
      {t[state]}
    </span>
  );
}

function Person({ session }: { session: Session }) {
  const t = useTexts(common);
  const words = useTexts(domain);
  const problemText = useProblemText();
  const leave = () => {
    logout().catch((error: unknown) => {
      if (error instanceof Problem && error.status !== 401) {
        showToast(problemText(error), 'critical');
      }
    });
  };
  return (
    <div class="person">
      <span class="person-name">
        <span class="hidden">{t.account} </span>
        <span class="person-text" title={session.name}>
          {session.name}
        </span>
        <small>{words.role[session.role]}</small>
      </span>
      <button type="button" class="button button-quiet" onClick={leave}>
        <Icon name="logout" />
        <span class="logout-text">{t.logout}</span>
      </button>
    </div>
  );
}

export function Layout({ session, children }: { session: Session | null; children: ComponentChildren }) {
  const t = useTexts(common);
  const { path } = useRoute();
  const [open, setOpen] = useState(false);
  const place = path.join('/');
  useEffect(() => setOpen(false), [place]);
  return (
    <>
      <button
        type="button"
        class="skip"
        onClick={() => {
          document.getElementById('main')?.focus();
        }}
      >
        {t.skip}
      </button>
      <header class="header">
        <div class="header-inner">
          <a class="brand" href={href([])}>
            <img src="./icon.svg" alt="" width="28" height="28" />
            {t.brand}
          </a>
          <button
            type="button"
            class="button menu-button"
            aria-expanded={open}
            aria-controls="menu"
            onClick={() => setOpen(!open)}
          >
            <Icon name={open ? 'close' : 'menu'} />
            {t.nav.open}
          </button>
          <div id="menu" class={open ? 'menu menu-open' : 'menu'}>
            {session !== null && <Navigation session={session} />}
            <div class="menu-end">
              {session !== null && <LiveMark />}
              <Choices />
              {session !== null && <Person session={session} />}
            </div>
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <Toasts />
    </>
  );
}
