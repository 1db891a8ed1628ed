/* A modal dialog: the browser keeps the focus inside, closes it on Escape, and gives the focus back. */
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { common } from '../texts/common';
import { useTexts } from '../texts/dictionary';
import { Icon } from './icons';

export interface DialogProps {
  title: string;
  close: () => void;
  /* For what stands side by side. */
  wide?: boolean;
  children: ComponentChildren;
}

/* Where the focus goes when a dialog closes. */
const openers = new WeakMap<Element, HTMLElement>();

export function Dialog({ title, close, wide, children }: DialogProps) {
  const t = useTexts(common);
  const id = useId();
  const element = useRef<HTMLDialogElement>(null);
  // At once: a dialog that comes in the place of another finds out where that one came from.
  useLayoutEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    // One that follows another goes back to where that one came from, once what opened it is gone.
    const previous = [...document.querySelectorAll('dialog[open]')].pop();
    const opener = previous === undefined ? undefined : openers.get(previous);
    const focusable = before instanceof HTMLElement && before !== document.body ? before : opener;
    if (dialog !== null && focusable !== undefined) {
      openers.set(dialog, focusable);
    }
    dialog?.showModal();
    // What is asked for comes first; the cross above it is not where somebody wants to begin.
    dialog?.querySelector<HTMLElement>('form input, form textarea, form select')?.focus();
    return () => {
      dialog?.close();
      (focusable?.isConnected === true ? focusable : opener)?.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={wide === true ? 'dialog dialog-wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <header class="dialog-head">
        <h2 id={id}>{title}</h2>
        <button type="button" class="button button-icon" aria-label={t.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
