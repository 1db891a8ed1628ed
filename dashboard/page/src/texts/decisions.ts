import { dictionary } from './dictionary';

export const decisionsTexts = dictionary(
  {
    title: 'Toewijzingen',
    lead: 'Zoek een toewijzing op nummer of op het pseudoniem van de cliënt.',
    caption: 'Toewijzingen, elk met de laatste versie',
    valid: 'Geldig',
    validOn: 'Geldig op',
    search: 'Zoek toewijzing',
    month: 'Evaluatie in',
    due: 'Evaluatie',
    late: 'te laat',
    and: (date: string) => `en ${date}`,
    total: (count: string) => `${count} ${count === '1' ? 'toewijzing' : 'toewijzingen'}`,
    empty: 'Er zijn geen toewijzingen die hieraan voldoen.',
  },
  {
    title: 'Decisions',
    lead: 'Find a decision by its number or by the client’s pseudonym.',
    caption: 'Decisions, each with its latest version',
    valid: 'Valid',
    validOn: 'Valid on',
    search: 'Search decision',
    month: 'Evaluation in',
    due: 'Evaluation',
    late: 'overdue',
    and: (date: string) => `and ${date}`,
    total: (count: string) => `${count} ${count === '1' ? 'decision' : 'decisions'}`,
    empty: 'There are no decisions like that.',
  },
);
