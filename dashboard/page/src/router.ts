/*
 * Addresses: what comes after the # is a path and a query, "#/alerts?municipality=0363". So the page works below any
 * path of a proxy, and an id with a dot in it is no file.
 */
import { createStore, useStore } from './store';

export interface Route {
  path: string[];
  query: URLSearchParams;
}

export type Query = Record<string, string | null | undefined>;

function decode(piece: string): string {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece;
  }
}

function parse(hash: string): Route {
  const text = hash.replace(/^#/, '');
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  return {
    path: path
      .split('/')
      .filter((piece) => piece !== '')
      .map(decode),
    query: new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)),
  };
}

const routeStore = createStore<Route>(parse(window.location.hash));

export function startRouter(): void {
  window.addEventListener('hashchange', () => routeStore.set(parse(window.location.hash)));
}

/* The address of a path and what of the query has a value. */
export function href(path: string[], query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') {
      parameters.set(name, value);
    }
  }
  // Commas between values are read by people, too.
  const text = parameters.toString().replace(/%2C/g, ',');
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

export function navigate(path: string[], query: Query = {}): void {
  window.location.hash = href(path, query);
}

/* Changes the query of where we are, without a new entry in the history: filters and sorting. */
export function changeQuery(changes: Query): void {
  const { path, query } = routeStore.get();
  const next: Query = Object.fromEntries(query);
  for (const [name, value] of Object.entries(changes)) {
    next[name] = value;
  }
  const address = href(path, next);
  window.history.replaceState(null, '', address);
  routeStore.set(parse(address));
}

export const useRoute = (): Route => useStore(routeStore);
