import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Session } from './api/types';
import { Layout } from './components/layout';
import { PageFrame } from './components/page';
import { Loading, ProblemNote } from './components/states';
import { asProblem, Problem } from './api/client';
import { forgetDimensions, loadDimensions } from './dimensions';
import { startLive, stopLive } from './live';
import { LoginPage } from './pages/login';
import { pagesFor, type PageProps } from './pages';
import { href, useRoute } from './router';
import { startSession, useSessionState } from './session';
import { common } from './texts/common';
import { useTexts } from './texts/dictionary';

function NotFoundPage() {
  const t = useTexts(common);
  return (
    <PageFrame title={t.notFoundTitle}>
      <p>{t.notFound}</p>
      <p>
        <a href={href([])}>{t.toOverview}</a>
      </p>
    </PageFrame>
  );
}

interface Opened {
  name: string;
  page: ComponentType<PageProps> | null;
  problem: Problem | null;
}

function CurrentPage({ session }: { session: Session }) {
  const t = useTexts(common);
  const { path } = useRoute();
  const name = path[0] ?? 'overview';
  const entry = pagesFor(session).find((page) => page.name === name);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let current = true;
    entry?.load().then(
      (page) => current && setOpened({ name, page, problem: null }),
      (error: unknown) => current && setOpened({ name, page: null, problem: asProblem(error) }),
    );
    return () => {
      current = false;
    };
  }, [entry, name, turn]);
  if (entry === undefined) {
    return <NotFoundPage />;
  }
  if (opened === null || opened.name !== name) {
    return <Loading />;
  }
  if (opened.page === null) {
    const problem = opened.problem ?? new Problem(0, '');
    return (
      <PageFrame title={entry.label === null ? t.brand : t.nav[entry.label]}>
        <ProblemNote problem={problem} retry={() => setTurn((before) => before + 1)} />
      </PageFrame>
    );
  }
  const Page = opened.page;
  // Another decision is another page, with a focus and a state of its own.
  return <Page key={path.join('/')} rest={path.slice(1)} />;
}

function Inside({ session }: { session: Session }) {
  useEffect(() => {
    loadDimensions();
    startLive();
    return () => {
      stopLive();
      forgetDimensions();
    };
  }, [session]);
  return (
    <Layout session={session}>
      <CurrentPage session={session} />
    </Layout>
  );
}

export function App() {
  const state = useSessionState();
  switch (state.is) {
    case 'in':
      return <Inside session={state.session} />;
    case 'out':
      return (
        <Layout session={null}>
          <LoginPage expired={state.expired} />
        </Layout>
      );
    case 'asking':
      return (
        <Layout session={null}>
          <Loading />
        </Layout>
      );
    case 'unreachable':
      return (
        <Layout session={null}>
          <ProblemNote problem={new Problem(0, '')} retry={startSession} />
        </Layout>
      );
  }
}
