/* A button that opens a menu: arrow keys, Home, End and first letters go through it, Escape and Tab close it. */
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icons';

export interface MenuItem {
  key: string;
  label: string;
  run: () => void;
}

/* Below this much room under the button the menu opens upwards. */
const ROOM = 260;

export function Menu({ label, name, items }: { label: string; name: string; items: readonly MenuItem[] }) {
  const id = useId();
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [upwards, setUpwards] = useState(false);
  const entries = () => [...(root.current?.querySelectorAll<HTMLButtonElement>('[role=menuitem]') ?? [])];
  // Before the next key comes.
  useLayoutEffect(() => {
    if (open) {
      entries()[0]?.focus();
    }
  }, [open]);
  useEffect(() => {
    if (!open) {
      return undefined;
    }
    const outside = (event: Event) => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) {
        setOpen(false);
      }
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);
  const show = () => {
    const place = button.current?.getBoundingClientRect();
    setUpwards(place !== undefined && window.innerHeight - place.bottom < ROOM && place.top > ROOM);
    setOpen(true);
  };
  const hide = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const all = entries();
    const at = all.findIndex((entry) => entry === document.activeElement);
    const letter = event.key.length === 1 ? event.key.toLowerCase() : null;
    let next: HTMLButtonElement | undefined;
    if (event.key === 'Escape') {
      event.preventDefault();
      hide();
    } else if (event.key === 'Tab') {
      setOpen(false);
    } else if (event.key === 'ArrowDown') {
      next = all[(at + 1) % all.length];
    } else if (event.key === 'ArrowUp') {
      next = all[(at - 1 + all.length) % all.length];
    } else if (event.key === 'Home') {
      next = all[0];
    } else if (event.key === 'End') {
      next = all[all.length - 1];
    } else if (letter !== null && letter !== ' ') {
      next = [...all.slice(at + 1), ...all].find((entry) => entry.textContent?.trim().toLowerCase().startsWith(letter));
    }
    if (next !== undefined) {
      event.preventDefault();
      next.focus();
    }
  };
  return (
    <div class="menu-root" ref={root}>
      <button
        ref={button}
        type="button"
        class="button button-small"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={`${label}: ${name}`}
        onClick={() => (open ? hide() : show())}
        onKeyDown={(event) => {
          if (!open && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
            event.preventDefault();
            show();
          }
        }}
      >
        {label}
        <Icon name="chevron" />
      </button>
      {open && (
        <div
          id={id}
          class={upwards ? 'menu-list menu-list-up' : 'menu-list'}
          role="menu"
          aria-label={name}
          onKeyDown={onKeyDown}
        >
          {items.map((item) => (
            <button
              key={item.key}
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={() => {
                // A dialog that opens now gives the focus back to where it is: the button, which stays.
                hide();
                item.run();
              }}
            >
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
