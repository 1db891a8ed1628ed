/* What the reader chose: language and theme. Kept in this browser; a browser that keeps nothing still works. */
import { createStore, useStore } from './store';

export type Language = 'nl' | 'en';
export type Theme = 'system' | 'light' | 'dark';

function read(key: string): string | null {
  try {
    return window.localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    window.localStorage.setItem(key, value);
  } catch {
    // It then holds until the page is closed.
  }
}

const storedTheme = read('urenwacht.theme');
const languageStore = createStore<Language>(read('urenwacht.language') === 'en' ? 'en' : 'nl');
const themeStore = createStore<Theme>(storedTheme === 'light' || storedTheme === 'dark' ? storedTheme : 'system');
const systemDark = window.matchMedia('(prefers-color-scheme: dark)');
/* Whether dark is what is seen, for what is drawn on a canvas. */
const darkStore = createStore(false);

function apply(): void {
  const theme = themeStore.get();
  const root = document.documentElement;
  root.lang = languageStore.get();
  const dark = theme === 'dark' || (theme === 'system' && systemDark.matches);
  root.setAttribute('data-theme', dark ? 'dark' : 'light');
  darkStore.set(dark);
}

export function startPreferences(): void {
  apply();
  systemDark.addEventListener('change', apply);
  languageStore.subscribe(apply);
  themeStore.subscribe(apply);
}

export function setLanguage(language: Language): void {
  write('urenwacht.language', language);
  languageStore.set(language);
}

export function setTheme(theme: Theme): void {
  write('urenwacht.theme', theme);
  themeStore.set(theme);
}

export const currentLanguage = (): Language => languageStore.get();
export const useLanguage = (): Language => useStore(languageStore);
export const useTheme = (): Theme => useStore(themeStore);
export const useDark = (): boolean => useStore(darkStore);
