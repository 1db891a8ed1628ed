import { dictionary } from './dictionary';

export const overviewTexts = dictionary(
  {
    title: 'Overzicht',
    openAlerts: 'Open waarschuwingen',
    bySeverity: 'Open waarschuwingen naar soort en ernst',
    none: 'Er staan geen waarschuwingen open.',
    count: 'Aantal',
  },
  {
    title: 'Overview',
    openAlerts: 'Open alerts',
    bySeverity: 'Open alerts by kind and severity',
    none: 'No alerts are open.',
    count: 'Count',
  },
);
