/* Coming in, staying in, and being put out. */
import assert from 'node:assert/strict';
import { test } from './runner.mjs';
import { focused } from './keyboard.mjs';
import { until } from './stack.mjs';

const outside = { as: null, statuses: [400, 401] };

async function logIn(visit, token) {
  await visit.page.getByLabel('Toegangscode').fill(token);
  await visit.page.getByRole('button', { name: 'Inloggen' }).click();
}

test('login: a right token leads to the overview', outside, async (visit) => {
  const { page, stack } = visit;
  await visit.go('');
  await visit.heading('Inloggen');
  await logIn(visit, ` ${stack.tokens.manager} `);
  await visit.heading('Overzicht');
  await visit.visible(page.getByText('Coby Contract'));
  const cookies = await visit.context.cookies();
  assert.deepEqual(cookies.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite })), [{ httpOnly: true, sameSite: 'Strict' }]);
  const kept = await page.evaluate(() => JSON.stringify([{ ...window.localStorage }, { ...window.sessionStorage }, document.cookie]));
  assert.ok(!kept.includes(stack.tokens.manager), 'the token is not kept in the browser');
  await page.reload();
  await visit.heading('Overzicht');
});

test('login: wrong tokens are refused in words', outside, async (visit) => {
  const { page } = visit;
  await visit.go('');
  assert.ok(await page.getByRole('button', { name: 'Inloggen' }).isDisabled(), 'without a code there is nothing to send');
  for (const wrong of ['x', `uw_${'A'.repeat(43)}`, "'; DROP TABLE token; --"]) {
    await logIn(visit, wrong);
    await page.getByRole('alert').getByText('Deze code klopt niet, is verlopen of is ingetrokken.').waitFor();
    assert.equal(await page.getByLabel('Toegangscode').getAttribute('aria-invalid'), 'true');
  }
  assert.deepEqual(await visit.context.cookies(), []);
});

test('login: by keyboard alone, and logging out', outside, async (visit) => {
  const { page, stack } = visit;
  await visit.go('');
  await visit.heading('Inloggen');
  await page.getByLabel('Toegangscode').focus();
  await page.keyboard.insertText(stack.tokens.regional);
  await page.keyboard.press('Enter');
  await visit.heading('Overzicht');
  await page.getByRole('button', { name: 'Uitloggen' }).focus();
  await page.keyboard.press('Enter');
  await visit.heading('Inloggen');
  assert.deepEqual(await visit.context.cookies(), []);
  await visit.go('#/decisions');
  await visit.heading('Inloggen');
});

test('login: an address that was asked for is where one comes in', outside, async (visit) => {
  const { page, stack } = visit;
  await visit.go('#/decisions?law=WMO');
  await visit.heading('Inloggen');
  await logIn(visit, stack.tokens.manager);
  await visit.heading('Toewijzingen');
  assert.ok(page.url().endsWith('#/decisions?law=WMO'));
});

test('session: one that has expired is told, and one comes in again', { as: 'leaving', statuses: [401] }, async (visit) => {
  const { page, stack } = visit;
  await visit.go('#/');
  await visit.heading('Overzicht');
  const mine = "token_id IN (SELECT id FROM urenwacht_data.token WHERE name = 'Loes Weg')";
  await stack.sql(`UPDATE urenwacht_data.session SET expires_at = now() - interval '1 second' WHERE ${mine}`);
  await page.getByRole('link', { name: 'Toewijzingen', exact: true }).click();
  await visit.heading('Inloggen');
  await visit.visible(page.getByText('Uw sessie is verlopen. Log opnieuw in.'));
  await logIn(visit, stack.tokens.leaving);
  await visit.heading('Toewijzingen');
});

test('session: a server that went away and came back', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/');
  await visit.visible(page.getByRole('status').getByText('Live', { exact: true }));
  visit.guard.allowed.push(/ERR_INTERNET_DISCONNECTED/, /ERR_NETWORK_CHANGED/);
  await visit.context.setOffline(true);
  await page.getByRole('link', { name: 'Toewijzingen', exact: true }).click();
  await page.getByRole('alert').getByText('De server is niet bereikbaar. Controleer de verbinding.').waitFor();
  await visit.context.setOffline(false);
  await page.getByRole('button', { name: 'Opnieuw proberen' }).first().click();
  await visit.heading('Toewijzingen');
  await visit.visible(page.getByRole('table'));
});

test('frame: skip link, menu and the focus on a new page', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/');
  await page.keyboard.press('Tab');
  await focused(page, page.getByRole('button', { name: 'Naar de inhoud' }));
  await page.keyboard.press('Enter');
  await focused(page, page.locator('#main'));
  await page.getByRole('link', { name: 'Toewijzingen', exact: true }).focus();
  await page.keyboard.press('Enter');
  await visit.heading('Toewijzingen');
  await focused(page, page.getByRole('heading', { level: 1 }));
  assert.equal(await page.getByRole('link', { name: 'Toewijzingen', exact: true }).getAttribute('aria-current'), 'page');
  await page.goBack();
  await visit.heading('Overzicht');
});

test('frame: the theme is chosen, kept, and follows the machine', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const becomes = (colour, what) => until(120_000, what, async () => (await background()) === colour);
  await visit.go('#/');
  const light = await background();
  await page.emulateMedia({ colorScheme: 'dark' });
  await until(120_000, 'automatic follows the machine', async () => (await background()) !== light);
  const dark = await background();
  await page.getByRole('combobox', { name: 'Weergave' }).selectOption('Licht');
  await becomes(light, 'light was chosen');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.getByRole('combobox', { name: 'Weergave' }).selectOption('Donker');
  await page.reload();
  await visit.heading('Overzicht');
  await becomes(dark, 'dark was chosen and is kept');
});
