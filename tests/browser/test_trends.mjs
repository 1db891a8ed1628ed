/* Month by month, also over a change of funding form. */
import assert from 'node:assert/strict';
import { test } from './runner.mjs';

test('trends: every measure, as a chart and as a table', { as: 'regional' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/trends');
  await visit.heading('Trends');
  for (const measure of ['Gebruik van de urenpot', 'No-show', 'Kosten per geleverd uur', 'Uren per cliënt per week']) {
    await page.getByRole('button', { name: measure, exact: true }).click();
    const figure = page.getByRole('figure').filter({ has: page.getByRole('heading', { name: measure }) }).first();
    await figure.locator('canvas').waitFor();
    await figure.getByRole('button', { name: 'Als tabel' }).click();
    await visit.visible(figure.getByRole('table').getByText(/februari 2026|feb 26/));
    await figure.getByRole('button', { name: 'Als grafiek' }).click();
  }
  assert.ok(page.url().includes('measure=') || page.url().endsWith('#/trends'), page.url());
});

test('trends: a switch of funding form is marked, with before and after', { as: 'regional' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/trends');
  await visit.visible(page.getByText(/In januari 2026 verschoof/));
  const compare = page.locator('section', { has: page.getByRole('heading', { name: 'Voor en na' }) });
  await visit.visible(compare.getByRole('table').getByText('Verschil'));
});

test('trends: what moves in every month is no switch', { as: 'regional' }, async (visit) => {
  const { page } = visit;
  for (const filter of ['', 'law=WMO', 'municipality=0202']) {
    await visit.go(`#/trends?${filter}`);
    const mark = page.locator('section', { has: page.getByRole('heading', { name: 'Voor en na' }) });
    await visit.visible(mark.getByText(/^In januari 2026 verschoof \d+% van de uren/));
    const months = await mark.getByRole('combobox').locator('option').allTextContents();
    assert.ok(months.includes('oktober 2025'), `${months}`);
    await mark.getByRole('combobox').selectOption('oktober 2025');
    await page.waitForURL(/around=2025-10/);
    await visit.gone(mark.getByText(/^In \S+ 202\d verschoof/));
  }
});

test('trends: when nothing comes at first the page has its heading, says why, and tries again when asked', { as: 'regional' }, async (visit) => {
  const { page } = visit;
  visit.guard.allowed.push(/status of 503/);
  // So long that it does not try by itself meanwhile.
  const busy = { status: 503, headers: { 'Retry-After': '900' }, body: '' };
  const first = /v1\/progress/;
  const second = /v1\/aggregates\/monthly/;
  const refused = page.getByRole('alert').getByText('De server heeft het druk. Probeer het zo opnieuw.');
  const again = page.getByRole('alert').getByRole('button', { name: 'Opnieuw proberen' });
  await page.route(first, (route) => route.fulfill(busy));
  await visit.go('#/trends');
  await visit.heading('Trends');
  await visit.visible(refused);
  await page.route(second, (route) => route.fulfill(busy));
  await page.unroute(first);
  const [answer] = await Promise.all([page.waitForResponse(second), again.click()]);
  assert.equal(answer.status(), 503);
  await visit.heading('Trends');
  await visit.visible(refused);
  await page.unroute(second);
  await again.click();
  await visit.visible(page.getByText(/In januari 2026 verschoof/));
  assert.equal(await page.getByRole('alert').count(), 0);
});
