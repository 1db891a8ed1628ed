/* The pages, in the order of the navigation. A page is loaded when it is first opened. */
import type { ComponentType } from 'preact';
import type { Session } from '../api/types';
import { mayAdminister, maySeeSignals } from '../session';
import { common } from '../texts/common';

type Label = Exclude<keyof (typeof common)['nl']['nav'], 'label' | 'open'>;

export interface PageProps {
  /* What follows the page's name in the address, decoded: "#/decisions/0363/WMO-1" gives ["0363", "WMO-1"]. */
  rest: string[];
}

export interface PageEntry {
  /* First piece of the address. */
  name: string;
  /* Its text in the navigation; null: it is reached from other pages. */
  label: Label | null;
  allowed: (session: Session) => boolean;
  load: () => Promise<ComponentType<PageProps>>;
}

const everybody = () => true;

export const pages: readonly PageEntry[] = [
  {
    name: 'overview',
    label: 'overview',
    allowed: everybody,
    load: async () => (await import('./overview')).OverviewPage,
  },
  {
    name: 'alerts',
    label: 'alerts',
    allowed: everybody,
    load: async () => (await import('./alerts')).AlertsPage,
  },
  {
    name: 'decisions',
    label: 'decisions',
    allowed: everybody,
    load: async () => (await import('./decisions')).DecisionsPage,
  },
  {
    name: 'trends',
    label: 'trends',
    allowed: everybody,
    load: async () => (await import('./trends')).TrendsPage,
  },
  {
    name: 'signals',
    label: 'signals',
    allowed: maySeeSignals,
    load: async () => (await import('./signals')).SignalsPage,
  },
  {
    name: 'administration',
    label: 'administration',
    allowed: mayAdminister,
    load: async () => (await import('./administration')).AdministrationPage,
  },
];

export const pagesFor = (session: Session): readonly PageEntry[] => pages.filter((page) => page.allowed(session));
