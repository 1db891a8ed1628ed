/* Who is logged in. The token itself is never kept: the server gives a cookie that scripts cannot read. */
import { call, onUnauthorized, Problem, setCsrfToken } from './api/client';
import type { Session } from './api/types';
import { createStore, useStore } from './store';

export type SessionState =
  { is: 'asking' } | { is: 'out'; expired: boolean } | { is: 'unreachable' } | { is: 'in'; session: Session };

const sessionStore = createStore<SessionState>({ is: 'asking' });

function enter(session: Session): void {
  setCsrfToken(session.csrf_token);
  sessionStore.set({ is: 'in', session });
}

export function startSession(): void {
  onUnauthorized(() => {
    setCsrfToken(null);
    const before = sessionStore.get();
    // Several calls may have been on their way.
    if (before.is !== 'out') {
      sessionStore.set({ is: 'out', expired: before.is === 'in' });
    }
  });
  sessionStore.set({ is: 'asking' });
  call<Session>('GET', 'session').then(enter, (error: unknown) => {
    if (!(error instanceof Problem && error.status === 401)) {
      sessionStore.set({ is: 'unreachable' });
    }
  });
}

/* Throws a Problem; 401 for a token that is not valid. */
export async function login(token: string): Promise<void> {
  enter(await call<Session>('POST', 'session', { body: { token } }));
}

export async function logout(): Promise<void> {
  await call<null>('DELETE', 'session');
  setCsrfToken(null);
  sessionStore.set({ is: 'out', expired: false });
}

export const useSessionState = (): SessionState => useStore(sessionStore);

/* Only below what is drawn for somebody who is logged in. */
export function useSession(): Session {
  const state = useStore(sessionStore);
  if (state.is !== 'in') {
    throw new Error('there is no session');
  }
  return state.session;
}

export function maySeeSignals(session: Session): boolean {
  return session.role !== 'contract-manager';
}

export function mayActOnAlerts(session: Session): boolean {
  return session.role !== 'fraud';
}

export function mayActOnSignals(session: Session): boolean {
  return session.role === 'fraud' || session.role === 'admin';
}

/* Tokens reach further than one municipality, so an admin of some may not give them. */
export function mayAdminister(session: Session): boolean {
  return session.role === 'admin' && session.municipalities === null;
}
