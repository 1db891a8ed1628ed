/* The pages, and who looks at them; for what is held against every page. */
export const pages = [
  { name: 'login', as: null, address: '', nl: 'Inloggen', en: 'Log in', statuses: [401] },
  { name: 'overview', as: 'regional', address: '#/', nl: 'Overzicht', en: 'Overview' },
  { name: 'alerts', as: 'manager', address: '#/alerts', nl: 'Waarschuwingen', en: 'Alerts' },
  { name: 'decisions', as: 'manager', address: '#/decisions', nl: 'Toewijzingen', en: 'Decisions' },
  {
    name: 'decision',
    as: 'fraud',
    address: '#/decisions/0363/JW-3001?client=c-carla',
    nl: 'Toewijzing JW-3001',
    en: 'Decision JW-3001',
  },
  { name: 'trends', as: 'regional', address: '#/trends', nl: 'Trends', en: 'Trends' },
  { name: 'signals', as: 'fraud', address: '#/signals?view=list&municipality=0363', nl: 'Signalen', en: 'Signals' },
  { name: 'administration', as: 'admin', address: '#/administration', nl: 'Beheer', en: 'Administration' },
  { name: 'webhooks', as: 'admin', address: '#/administration?view=webhooks', nl: 'Beheer', en: 'Administration' },
  { name: 'nowhere', as: 'manager', address: '#/nowhere', nl: 'Deze pagina bestaat niet', en: 'This page does not exist' },
];
