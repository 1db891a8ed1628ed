import { dictionary } from './dictionary';

export const loginTexts = dictionary(
  {
    title: 'Inloggen',
    intro:
      'Urenwacht bewaakt de uren van gemeentelijke zorg: evaluaties op tijd, en weten dat een urenpot opraakt voordat de cliënt het merkt.',
    token: 'Toegangscode (token)',
    hint: 'U krijgt de code van de beheerder. Hij begint met uw_.',
    submit: 'Inloggen',
    wrong: 'Deze code klopt niet, is verlopen of is ingetrokken.',
    expired: 'Uw sessie is verlopen. Log opnieuw in.',
    unreachable: 'De server is niet bereikbaar.',
  },
  {
    title: 'Log in',
    intro:
      'Urenwacht watches the hours of municipal care: evaluations in time, and budgets that run low before the client notices.',
    token: 'Access code (token)',
    hint: 'The administrator gives you the code. It begins with uw_.',
    submit: 'Log in',
    wrong: 'This code is wrong, has expired or was revoked.',
    expired: 'Your session has ended. Log in again.',
    unreachable: 'The server cannot be reached.',
  },
);
