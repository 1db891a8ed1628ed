/* The pages, and who looks at them; for what is held against every page. */
export const pages = [
  { name: 'login', as: null, address: '', nl: 'Inloggen', en: 'Log in', statuses: [401] },
  { name: 'overview', as: 'regional', address: '#/', nl: 'Overzicht', en: 'Overview' },
  { name: 'decisions', as: 'manager', address: '#/decisions', nl: 'Toewijzingen', en: 'Decisions' },
  { name: 'nowhere', as: 'manager', address: '#/nowhere', nl: 'Deze pagina bestaat niet', en: 'This page does not exist' },
];
