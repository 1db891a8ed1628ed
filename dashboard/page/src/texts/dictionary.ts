/*
 * Texts in two languages. A dictionary is written in Dutch first; the English one has to have exactly its keys, and a
 * text with arguments the same ones, or the build fails.
 */
import { useLanguage, type Language } from '../preferences';

type Same<T> = {
  [K in keyof T]: T[K] extends (...given: infer A) => string
    ? (...given: A) => string
    : T[K] extends string
      ? string
      : Same<T[K]>;
};

export type Dictionary<T> = Record<Language, Same<T>>;

export function dictionary<T>(nl: T & Same<T>, en: Same<T>): Dictionary<T> {
  return { nl, en };
}

export function useTexts<T>(texts: Dictionary<T>): Same<T> {
  return texts[useLanguage()];
}
