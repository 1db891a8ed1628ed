/* Signals: by provider and staff, evidence side by side, the case and its diary. */
import assert from 'node:assert/strict';
import { liveSignal, NOTED_PROVIDER, NOTED_STAFF } from './events.mjs';
import { focused } from './keyboard.mjs';
import { test } from './runner.mjs';

const list = '#/signals?view=list&search=WMO-9001';
const opener = (page, kind) => page.getByRole('table').getByRole('button', { name: kind, exact: true }).first();

async function openSignal(visit, kind, query = '') {
  await visit.go(list + query);
  await opener(visit.page, kind).click();
  const dialog = visit.page.getByRole('dialog', { name: kind });
  await dialog.waitFor();
  await visit.visible(dialog.getByRole('heading', { name: 'Gegevens naast elkaar' }));
  return dialog;
}

test('signals: grouped by provider and staff, in neutral words', { as: 'fraud' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/signals');
  await visit.heading('Signalen');
  await visit.visible(page.getByText('Een signaal is een aanleiding om te kijken en bewijst niets.'));
  await page.getByRole('button', { name: new RegExp(`Aanbieder ${NOTED_PROVIDER}`) }).click();
  await page.getByRole('button', { name: new RegExp(`^${NOTED_STAFF}`) }).click();
  await visit.visible(page.getByRole('table').getByText('Dubbel gedeclareerd'));
  const words = await page.locator('#main').innerText();
  assert.ok(!/fraude|schuldig|dader|verdacht/i.test(words), 'a signal accuses nobody');
});

test('signals: every kind is there, with its evidence', { as: 'fraud' }, async (visit) => {
  const kinds = await visit.ask('anomalies/counts?by=kind&municipality=0363');
  const found = kinds.items.map((row) => row.kind).sort();
  for (const kind of ['CLIENT_OVERLAP', 'CREDIT_MISMATCH', 'DECLARED_NO_SHOW', 'DOUBLE_CREDIT', 'DOUBLE_DECLARATION', 'DUPLICATE_CONFLICT',
    'FUTURE_DECLARATION', 'IMPLAUSIBLE_DURATION', 'LATE_DECLARATION', 'ORPHAN_CREDIT', 'OUTSIDE_DECISION', 'UNKNOWN_DECISION',
    'VERSION_CONFLICT', 'WRONG_PROVIDER']) {
    assert.ok(found.includes(kind), `${kind} is among ${found}`);
  }
  const dialog = await openSignal(visit, 'Dubbel gedeclareerd');
  await visit.visible(dialog.getByText('Een signaal is een aanleiding om te kijken en bewijst niets.'));
  assert.ok((await dialog.getByRole('table').first().getByText('Declaratieregel').count()) >= 2, 'both lines stand beside each other');
  await visit.page.keyboard.press('Escape');
  await visit.gone(dialog);
  await focused(visit.page, opener(visit.page, 'Dubbel gedeclareerd'));
});

test('signals: a case through its states, with assignment and diary', { as: 'fraud' }, async (visit) => {
  const { page } = visit;
  const dialog = await openSignal(visit, 'No-show gedeclareerd');
  await dialog.getByLabel('in onderzoek').check();
  await dialog.getByRole('button', { name: 'Aan mij' }).click();
  await dialog.getByLabel(/Toelichting/).fill('Dossier opgevraagd');
  await dialog.getByRole('button', { name: 'Zaak bijwerken' }).click();
  await visit.toast('De zaak is bijgewerkt.');
  await visit.visible(dialog.getByText(/Laatst gewijzigd door Fenna Feiten/));
  await dialog.getByLabel('Aantekening').fill('Gebeld: <i>afspraak</i> was verzet');
  await dialog.getByRole('button', { name: 'Aan het dagboek toevoegen' }).click();
  await visit.toast('Toegevoegd aan het dagboek.');
  await visit.visible(dialog.getByText('Gebeld: <i>afspraak</i> was verzet'));
  await dialog.getByLabel('ongegrond').check();
  await dialog.getByRole('button', { name: 'Zaak bijwerken' }).click();
  await visit.visible(dialog.getByText(/Stand: ongegrond/));
  await visit.visible(dialog.getByText(/Stand: in onderzoek/));
  await page.keyboard.press('Escape');
  await visit.gone(dialog);
  await visit.go(`${list}&state=UNFOUNDED`);
  await visit.visible(opener(page, 'No-show gedeclareerd'));
});

test('signals: the regional team reads along, and changes nothing', { as: 'regional' }, async (visit) => {
  const dialog = await openSignal(visit, 'Onaannemelijk lang');
  await visit.visible(dialog.getByText('U kunt meelezen; de zaak behandelen doet het team rechtmatigheid.'));
  assert.equal(await dialog.getByRole('button', { name: 'Zaak bijwerken' }).count(), 0);
  assert.equal(await dialog.getByRole('button', { name: 'Aan het dagboek toevoegen' }).count(), 0);
});

test('signals: one that comes while the list is open', { as: 'fraud' }, async (visit) => {
  const { page, stack } = visit;
  await visit.go(`${list}&kind=DOUBLE_DECLARATION`);
  await visit.visible(page.getByRole('status').getByText('Live', { exact: true }));
  const rows = await page.getByRole('table').getByRole('row').count();
  stack.feed(liveSignal('LIVE-9'));
  await visit.visible(page.getByText('1 nieuw signaal', { exact: true }));
  await page.locator('.fresh-bar').getByRole('button', { name: 'Tonen' }).click();
  await page.getByRole('table').getByRole('row').nth(rows).waitFor();
});
