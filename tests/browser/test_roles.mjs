/* What a role does not see is not in the page, nor behind an address. */
import assert from 'node:assert/strict';
import { test } from './runner.mjs';

const names = (page) => page.getByRole('navigation', { name: 'Hoofdmenu' }).getByRole('link').allTextContents();

test('roles: a contract manager sees its municipality only', { as: 'manager', statuses: [404] }, async (visit) => {
  const { page } = visit;
  await visit.go('#/decisions');
  const cells = await page.getByRole('table').getByRole('row').allTextContents();
  assert.ok(cells.length > 10);
  assert.ok(cells.slice(1).every((text) => text.includes('0363') && !text.includes('0518')), cells.find((text) => text.includes('0518')));
  await page.getByRole('button', { name: 'Gemeente: Alle' }).click();
  const choices = page.getByRole('group', { name: 'Gemeente' }).getByRole('checkbox');
  await visit.visible(choices);
  assert.equal(await choices.count(), 1);
  await visit.go('#/decisions/0518/WMO-1001?client=c-zoe');
  await visit.visible(page.getByRole('alert').getByText('Niet gevonden, of het hoort niet bij uw gemeenten.'));
  assert.equal(await page.getByText('c-zoe').count(), 0);
});

test('roles: a contract manager has no signals and no administration, also not by address', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await visit.go('#/');
  assert.ok(!(await names(page)).some((name) => /Signalen|Beheer/.test(name)));
  assert.equal(await page.getByRole('heading', { name: 'Nieuwe signalen' }).count(), 0);
  for (const address of ['#/signals', '#/administration']) {
    await visit.go(address);
    await visit.heading('Deze pagina bestaat niet');
    await visit.visible(page.getByText('Het adres klopt niet, of u mag deze pagina niet zien.'));
  }
  assert.deepEqual(asked.filter((url) => /anomalies|tokens/.test(url)), [], 'what it may not see is not asked for');
  await page.getByRole('link', { name: 'Naar het overzicht' }).click();
  await visit.heading('Overzicht');
});

test('roles: who looks into lawfulness reads alerts, and does nothing about them', { as: 'fraud' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/alerts?search=WMO-2001');
  await page.getByRole('row').filter({ hasText: 'Surplus is op' }).getByRole('button', { name: /^Acties/ }).click();
  await visit.visible(page.getByRole('menuitem'));
  assert.deepEqual(await page.getByRole('menuitem').allTextContents(), ['Details', 'Naar de toewijzing']);
});
