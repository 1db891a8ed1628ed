/* A modal dialog: the browser keeps the focus inside, closes it on Escape, and gives the focus back. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
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

export function Dialog({ title, close, wide, children }: DialogProps) {
  const t = useTexts(common);
  const id = useId();
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) {
        before.focus();
      }
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
