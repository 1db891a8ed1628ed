/* What to do today. */
import assert from 'node:assert/strict';
import { liveEvent } from './events.mjs';
import { test } from './runner.mjs';
import { until } from './stack.mjs';

/* The number of a tile. */
const number = (page, title) =>
  page.locator('.tile', { has: page.getByRole('heading', { name: title }) }).locator('.tile-number');

test('overview: figures are those of the lists behind them', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  const due = async () => {
    const { items } = await visit.ask('decisions?valid_on=2026-03-16&limit=1000');
    return items.filter((decision) => decision.evaluations_due.some((day) => day.startsWith('2026-03'))).length;
  };
  let shown = 0;
  // Other tests report evaluations meanwhile: what was the same before and after is what the page has seen.
  await until(120_000, 'the figure is that of the list', async () => {
    const before = await due();
    await visit.go('#/');
    shown = Number(await number(page, 'Evaluaties deze maand').textContent());
    return shown === before && shown >= 3 && (await due()) === before;
  });
  await visit.visible(page.getByText('Stand per maandag 16 maart 2026'));
  const first = page.locator('section', { has: page.getByRole('heading', { name: 'Eerst te evalueren' }) });
  await visit.visible(first.getByText(/dagen te laat/));
  assert.ok(!/te laat[^]*?% van de verwachte/.test(await first.getByRole('listitem').first().textContent()));
  await visit.visible(page.locator('section', { has: page.getByRole('heading', { name: 'Pas over een grens' }) }).getByText(/0363 · /));
  await number(page, 'Evaluaties deze maand').click();
  await visit.heading('Toewijzingen');
  // Due on the last day of the month: its alert does not exist yet.
  const row = page.getByRole('row').filter({ hasText: 'WMO-1014' });
  await visit.visible(row.getByText('31 mrt 2026'));
  assert.equal((await visit.ask('alerts?status=OPEN,RESOLVED&search=WMO-1014&kind=EVALUATION_DUE')).items.length, 0);
  assert.equal(await page.getByLabel('Evaluatie in').inputValue(), '2026-03-01');
  const days = await page.getByRole('cell').filter({ hasText: /\d+ mrt 2026\s*(te laat)?$/ }).count();
  assert.equal(days, (await page.getByRole('row').count()) - 1, 'every row says the day');
});

test('overview: what cannot be renewed stays, is said to be older, and is asked for again', { as: 'manager' }, async (visit) => {
  const { page, stack } = visit;
  visit.guard.allowed.push(/ERR_FAILED/, /status of 503/);
  await visit.go('#/');
  await visit.visible(page.getByRole('status').getByText('Live', { exact: true }));
  const tiles = page.getByRole('region', { name: 'Wat nu aandacht vraagt' });
  await visit.visible(tiles.getByRole('heading', { name: 'No-show' }));
  const older = page.getByRole('status').getByText(/^Bijwerken lukt nu niet\. Wat hier staat is van \d\d:\d\d;/);
  assert.equal(await older.count(), 0);
  const failing = /alerts\/counts\?/;
  await page.route(failing, (route) => route.abort());
  stack.feed(liveEvent(8));
  await visit.visible(older);
  await visit.visible(tiles.getByRole('heading', { name: 'No-show' }));
  assert.equal(await page.getByRole('alert').count(), 0, 'nothing is put in the place of what was there');
  await page.unroute(failing);
  // As when the network comes back.
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await visit.gone(older);
  // Another question has no older answer that could stay; it is asked again by itself, some seconds later.
  const list = /v1\/decisions\?/;
  await page.route(list, (route) => route.fulfill({ status: 503, body: '' }));
  await page.getByRole('link', { name: 'Toewijzingen', exact: true }).click();
  await visit.visible(page.getByRole('alert').getByText('De server heeft het druk. Probeer het zo opnieuw.'));
  await page.unroute(list);
  await visit.visible(page.getByRole('table'));
  assert.equal(await page.getByRole('alert').count(), 0);
});
