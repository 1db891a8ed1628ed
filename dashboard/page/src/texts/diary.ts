import { dictionary } from './dictionary';

export const diaryTexts = dictionary(
  {
    empty: 'Nog niets gedaan.',
    unassigned: 'Aan niemand toegewezen',
    assigned: (name: string) => `Toegewezen aan ${name}`,
    acknowledged: 'Gemarkeerd als gezien',
    snoozed: (date: string) => `Uitgesteld tot ${date}`,
    unsnoozed: 'Uitstel opgeheven',
    evaluation: (date: string, outcome: string) => `Evaluatie gemeld: gehouden op ${date}, ${outcome}`,
    state: (state: string) => `Stand: ${state}`,
    stateWith: (state: string, name: string) => `Stand: ${state}, bij ${name}`,
    note: 'Aantekening',
    by: (name: string, date: string) => `${name}, ${date}`,
  },
  {
    empty: 'Nothing done yet.',
    unassigned: 'Assigned to nobody',
    assigned: (name: string) => `Assigned to ${name}`,
    acknowledged: 'Marked as seen',
    snoozed: (date: string) => `Snoozed until ${date}`,
    unsnoozed: 'Snooze ended',
    evaluation: (date: string, outcome: string) => `Evaluation reported: held on ${date}, ${outcome}`,
    state: (state: string) => `State: ${state}`,
    stateWith: (state: string, name: string) => `State: ${state}, with ${name}`,
    note: 'Note',
    by: (name: string, date: string) => `${name}, ${date}`,
  },
);
