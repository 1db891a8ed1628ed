/* Who may come in: a token is made in the page, works, and works no more once it is revoked. */
import assert from 'node:assert/strict';
import { focused, tabTo } from './keyboard.mjs';
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

test('administration: a token by keyboard alone, in English, its secret copied', { as: 'admin', language: 'en' }, async (visit) => {
  const { page, stack } = visit;
  await visit.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await visit.go('#/administration');
  await visit.heading('Administration');
  const opener = page.getByRole('button', { name: 'New access code' });
  await tabTo(page, opener);
  await page.keyboard.press('Enter');
  const form = page.getByRole('dialog', { name: 'New access code' });
  await focused(page, form.getByLabel('Name'));
  await page.keyboard.insertText('Keyboard Kit');
  await tabTo(page, form.getByLabel('contract manager'));
  await page.keyboard.press('ArrowDown');
  assert.ok(await form.getByLabel('regional').isChecked());
  await page.keyboard.press('Enter');
  await visit.gone(form);
  const shown = page.getByRole('dialog', { name: 'Secret of Keyboard Kit' });
  const secret = await shown.locator('code').textContent();
  await tabTo(page, shown.getByRole('button', { name: 'Copy' }));
  await page.keyboard.press('Enter');
  await visit.visible(shown.getByText('Copied.'));
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await page.keyboard.press('Escape');
  await visit.gone(shown);
  await focused(page, opener);
  stack.tokens.kit = secret;
  assert.equal((await stack.ask('kit', 'GET', 'session')).role, 'regional');
  const row = page.getByRole('row').filter({ hasText: 'Keyboard Kit' });
  await visit.visible(row.getByText('all', { exact: true }));
  const revoke = row.getByRole('button', { name: 'Revoke the access code of Keyboard Kit' });
  await tabTo(page, revoke, 100);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Revoke the access code of Keyboard Kit' });
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await visit.gone(dialog);
  await focused(page, revoke);
  assert.equal((await stack.ask('kit', 'GET', 'session')).role, 'regional', 'it works as before');
  await page.keyboard.press('Enter');
  await tabTo(page, dialog.getByRole('button', { name: 'Revoke', exact: true }));
  await page.keyboard.press('Enter');
  await visit.said('The access code was revoked.');
  await visit.visible(row.getByText('revoked', { exact: true }));
  await assert.rejects(stack.ask('kit', 'GET', 'session'), /401/);
});

test('administration: wrong codes of municipalities, and the code that one is logged in with', { as: 'admin' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/administration');
  await page.getByRole('button', { name: 'Nieuwe toegangscode' }).click();
  const form = page.getByRole('dialog', { name: 'Nieuwe toegangscode' });
  await form.getByLabel('Naam').fill('Niemand');
  await form.getByLabel('Gemeenten').fill('Amsterdam');
  await form.getByRole('button', { name: 'Toegangscode maken' }).click();
  await visit.visible(form.getByText('Dit zijn geen CBS-codes van vier cijfers.'));
  assert.equal(await form.getByLabel('Gemeenten').getAttribute('aria-invalid'), 'true');
  await form.getByLabel('Gemeenten').fill('0363');
  await form.getByLabel('Geldig, in dagen').fill('0');
  await form.getByRole('button', { name: 'Toegangscode maken' }).click();
  assert.equal(await form.getByLabel('Geldig, in dagen').evaluate((field) => field.validity.valid), false);
  await form.getByRole('button', { name: 'Annuleren' }).click();
  await visit.gone(form);
  assert.equal(await page.getByRole('row').filter({ hasText: 'Niemand' }).count(), 0);
  await page.getByRole('button', { name: 'Toegangscode van Ada Beheer intrekken' }).click();
  await visit.visible(page.getByRole('dialog').getByText('Dit is de code waarmee u nu bent ingelogd.'));
  await page.getByRole('dialog').getByRole('button', { name: 'Annuleren' }).click();
});

test('administration: somebody whose code is revoked is put out', { as: 'admin', statuses: [401] }, async (visit) => {
  const { page, stack } = visit;
  const own = await stack.ask('admin', 'POST', 'tokens', { name: 'Ad Interim', role: 'admin', municipalities: null, days: 1 });
  stack.tokens.interim = own.secret;
  await visit.enter('interim');
  await visit.go('#/administration');
  await page.getByRole('button', { name: 'Toegangscode van Ad Interim intrekken' }).click();
  await visit.visible(page.getByRole('dialog').getByText('Dit is de code waarmee u nu bent ingelogd.'));
  await page.getByRole('dialog').getByRole('button', { name: 'Intrekken', exact: true }).click();
  await visit.heading('Inloggen');
});
