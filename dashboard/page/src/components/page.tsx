/* The frame of every page: its heading, which gets the focus when the reader comes to the page, and its title. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { common } from '../texts/common';
import { useTexts } from '../texts/dictionary';
import { OlderNote } from './states';

/* The first page that is shown leaves the focus where the browser has it. */
let isFirst = true;

export function PageFrame({
  title,
  lead,
  actions,
  children,
}: {
  title: string;
  lead?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
}) {
  const t = useTexts(common);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – ${t.brand}`;
  }, [title, t]);
  useEffect(() => {
    if (!isFirst) {
      window.scrollTo(0, 0);
      heading.current?.focus({ preventScroll: true });
    }
    isFirst = false;
  }, []);
  return (
    <>
      <div class="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead !== undefined && <p class="muted">{lead}</p>}
        </div>
        {actions !== undefined && <div class="button-row">{actions}</div>}
      </div>
      <OlderNote />
      {children}
    </>
  );
}
