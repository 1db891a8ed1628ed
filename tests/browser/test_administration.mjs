/* Who may come in: a token is made in the page, works, and works no more once it is revoked. */
import assert from 'node:assert/strict';
import { test } from './runner.mjs';

test('administration: a token is made, shown once, used, and revoked', { as: 'admin' }, async (visit) => {
  const { page, stack } = visit;
  const status = async (token) =>
    (await fetch(`${stack.origin}/api/v1/session`, { headers: { Authorization: `Bearer ${token}` } })).status;
  await visit.go('#/administration');
  await visit.heading('Beheer');
  await page.getByRole('button', { name: 'Nieuwe toegangscode' }).click();
  const form = page.getByRole('dialog', { name: 'Nieuwe toegangscode' });
  await form.getByLabel('Naam').fill('Nieuwe Nel');
  await form.getByRole('button', { name: 'Toegangscode maken' }).click();
  await visit.visible(form.getByText('Een contractmanager heeft ten minste één gemeente.'));
  await form.getByLabel('Gemeenten').fill('0363, 0518');
  await form.getByRole('button', { name: 'Toegangscode maken' }).click();
  const shown = page.getByRole('dialog', { name: 'Geheim van Nieuwe Nel' });
  await shown.waitFor();
  const text = await shown.evaluate((dialog) =>
    [dialog.innerText, ...[...dialog.querySelectorAll('input, textarea')].map((field) => field.value)].join(' '),
  );
  const token = /uw_[A-Za-z0-9_-]{43}/.exec(text)?.[0];
  assert.ok(token, 'the token is shown');
  assert.equal(await status(token), 200, 'it gives access');
  await shown.getByRole('button', { name: 'Ik heb het bewaard' }).click();
  await visit.gone(shown);
  const row = page.getByRole('row').filter({ hasText: 'Nieuwe Nel' });
  await visit.visible(row.getByText('0363, 0518'));
  assert.ok(!(await page.content()).includes(token), 'it is shown once');
  await row.getByRole('button', { name: 'Toegangscode van Nieuwe Nel intrekken' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Intrekken', exact: true }).click();
  await visit.visible(row.getByText('ingetrokken'));
  assert.equal(await status(token), 401, 'it gives access no more');
});
