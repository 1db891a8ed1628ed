/* One decision: its charts, all its facts, and why they count. */
import assert from 'node:assert/strict';
import { test } from './runner.mjs';
import { until } from './stack.mjs';
import { phone } from './visit.mjs';

const carla = '#/decisions/0363/JW-3001?client=c-carla';

test('decision: found in the list, and opened from there', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/decisions?law=JEUGDWET');
  await visit.heading('Toewijzingen');
  await page.getByLabel('Zoek toewijzing').fill('w-300');
  await visit.visible(page.locator('.list-total').getByText('1 toewijzing', { exact: true }));
  await page.getByRole('link', { name: 'JW-3001' }).click();
  await visit.heading('Toewijzing JW-3001');
  await visit.visible(page.getByRole('region', { name: 'Hoe het ervoor staat' }));
});

test('decision: the change of funding form is in the chart, and in the table with the same values', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go(carla);
  const figure = page.getByRole('figure').filter({ has: page.getByRole('heading', { name: 'Verloop van de urenpot' }) });
  await visit.visible(figure.getByText('Andere financieringsvorm of andere uren'));
  await visit.visible(figure.getByText('In dit tempo'));
  const drawn = () =>
    figure.locator('canvas').evaluate((canvas) => {
      if (canvas.width === 0 || canvas.height === 0) {
        return false;
      }
      const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      return new Set(pixels.filter((_, index) => index % 4 === 3)).size > 1;
    });
  await until(120_000, 'something is drawn', drawn);
  await figure.getByRole('button', { name: 'Als tabel' }).click();
  await visit.visible(figure.getByRole('table').getByRole('row').nth(3));
  await figure.getByRole('button', { name: 'Als grafiek' }).click();
  const chart = figure.getByRole('group', { name: 'Verloop van de urenpot' });
  await chart.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await visit.visible(figure.getByRole('status').getByText(/ 2025: /));
});

test('decision: every fact says why it counts, the sums are those of the database', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go(carla);
  await page.getByRole('button', { name: 'Alles openen' }).click();
  await visit.visible(page.getByRole('cell', { name: /telt/ }));
  await visit.visible(page.getByText('Nagerekend: de optelling hierboven is gelijk aan de database.'));
  const told = await visit.ask('decisions/0363/JW-3001/explanation?client=c-carla');
  const latest = told.segments.at(-1).periods.at(-1).weeks.at(-1);
  const hours = `${Math.floor(latest.delivered_minutes / 60)}:${String(latest.delivered_minutes % 60).padStart(2, '0')}`;
  await visit.visible(page.locator('details.week').first().getByText(`geleverd ${hours}`));
  assert.equal(await page.getByRole('heading', { name: 'Signalen' }).count(), 0, 'a contract manager sees no signals');
});

test('decision: an exhausted surplus says since when, and can be acted on', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/decisions/0363/WMO-2001?client=c-bram');
  await visit.visible(page.getByText(/De urenpot is op sinds/));
  await visit.visible(page.getByText(/uit het surplus/));
  const alerts = page.locator('section', { has: page.getByRole('heading', { name: 'Open waarschuwingen' }) });
  await alerts.getByRole('button', { name: 'Gezien' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Gezien', exact: true }).click();
  await visit.said('Gemarkeerd als gezien.');
  await visit.visible(alerts.getByText(/Gezien door Coby Contract/));
});

test('decision: what counts for nothing is listed with the reason', { as: 'fraud' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/decisions/0363/WMO-9001?client=c-ina');
  const list = page.getByRole('table', { name: 'Telt nergens mee' });
  await visit.visible(list.getByText(/creditregel/));
  assert.ok((await list.getByRole('row').count()) > 4);
  assert.ok(!/\d{4}-\d\d-\d\d/.test(await list.textContent()), 'dates are written as people write them');
  await visit.visible(page.getByRole('heading', { name: 'Signalen' }));
});

test('decision: a number that several clients have, and one that nobody has', { as: 'manager', statuses: [404, 409] }, async (visit) => {
  const { page } = visit;
  await visit.go('#/decisions/0363/WMO-1001');
  await visit.heading('Toewijzing WMO-1001');
  await visit.go('#/decisions/0363/NIETS');
  await visit.visible(page.getByRole('alert').getByText('Niet gevonden, of het hoort niet bij uw gemeenten.'));
});

test('decision: an evaluation is reported where it stands, on a phone and in English', { as: 'colleague', screen: phone, language: 'en' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/decisions/0363/WMO-1012?client=c-henk');
  await visit.heading('Decision WMO-1012');
  // On a phone that stands in the menu.
  await page.locator('.live-live').waitFor({ state: 'attached' });
  const item = page.getByRole('listitem').filter({ hasText: 'Evaluation due' }).filter({ hasText: 'effective from' });
  await item.getByRole('button', { name: 'Report evaluation' }).click();
  const dialog = page.getByRole('dialog', { name: 'Report that the evaluation was held' });
  await dialog.getByLabel('Held on').fill('2026-03-11');
  await dialog.getByLabel('scale down').check();
  await dialog.getByLabel(/Note/).fill('Fewer hours suffice');
  await dialog.getByRole('button', { name: 'Report evaluation' }).click();
  await visit.gone(dialog);
  await visit.said('The evaluation of WMO-1012 was processed; the alert is resolved.');
  // The page follows.
  await visit.gone(item);
  await visit.visible(page.getByText(/^on 11 Mar 2026: scale down/));
});

test('decision: by keyboard every value of a chart is read out, and no gap', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go(carla);
  const figure = page.getByRole('figure').filter({ has: page.getByRole('heading', { name: 'Verloop van de urenpot' }) });
  await figure.getByRole('group', { name: 'Verloop van de urenpot' }).focus();
  const said = figure.getByRole('status');
  const read = [];
  await page.keyboard.press('Home');
  // The weekly pools of the year before lie apart from each other: gaps that are no values.
  for (let stops = 0; stops < 40; stops++) {
    await visit.visible(said.getByText(/^\d+ [a-z]+ 202[56]: [\u2212]?\d+:\d\d$/));
    read.push(await said.textContent());
    await page.keyboard.press('ArrowRight');
    // What the key did is drawn.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  }
  assert.ok(new Set(read).size > 15, `${read}`);
});
