/* The pictures of the documents, in the folder given. */
import { NOTED_PROVIDER, NOTED_STAFF } from './events.mjs';
import { phone } from './visit.mjs';

const tall = { viewport: { width: 1280, height: 1120 } };

const carla = '#/decisions/0363/JW-3001?client=c-carla';

const pictures = [
  { name: 'overview', as: 'regional', address: '#/' },
  { name: 'overview-dark', as: 'regional', address: '#/', theme: 'dark' },
  { name: 'alerts', as: 'manager', address: '#/alerts' },
  { name: 'decision', as: 'manager', address: carla, screen: tall },
  { name: 'decision-dark', as: 'manager', address: carla, screen: tall, theme: 'dark' },
  { name: 'trends', as: 'regional', address: '#/trends?by=model', screen: tall },
  {
    name: 'signals',
    as: 'fraud',
    address: '#/signals',
    prepare: async ({ page, settled }) => {
      await page.getByRole('button', { name: new RegExp(`Aanbieder ${NOTED_PROVIDER}`) }).click();
      await page.getByRole('button', { name: new RegExp(`^${NOTED_STAFF}`) }).click();
      await page.getByRole('table').first().waitFor();
      await settled();
    },
  },
  {
    name: 'signal',
    as: 'fraud',
    address: '#/signals?view=list&search=WMO-9001&kind=CLIENT_OVERLAP',
    screen: tall,
    prepare: async ({ page }) => {
      await page.getByRole('table').getByRole('button', { name: 'Overlap bij de cliënt' }).first().click();
      await page.getByRole('dialog').getByRole('heading', { name: 'Gegevens naast elkaar' }).waitFor();
    },
  },
  { name: 'phone-overview', as: 'manager', address: '#/', screen: phone },
  { name: 'phone-alerts', as: 'manager', address: '#/alerts', screen: phone },
  { name: 'phone-decision', as: 'manager', address: carla, screen: phone },
];

export async function takeScreenshots(openVisit, folder) {
  for (const { name, address, prepare, ...options } of pictures) {
    const visit = await openVisit(options);
    await visit.go(address);
    await prepare?.({ page: visit.page, settled: () => visit.settled() });
    await visit.picture(name, folder);
    visit.verdict();
    await visit.close();
    console.log(`${folder}/${name}.webp`);
  }
}
