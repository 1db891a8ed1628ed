/* Signals: by provider and staff, evidence side by side, the case and its diary. */
import assert from 'node:assert/strict';
import { liveSignal, NOTED_PROVIDER, NOTED_STAFF } from './events.mjs';
import { focused, retype, tabTo } from './keyboard.mjs';
import { test } from './runner.mjs';
import { phone } from './visit.mjs';

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
  await visit.said('De zaak is bijgewerkt.');
  await visit.visible(dialog.getByText(/Laatst gewijzigd door Fenna Feiten/));
  await dialog.getByLabel('Aantekening').fill('Gebeld: <i>afspraak</i> was verzet');
  await dialog.getByRole('button', { name: 'Aan het dagboek toevoegen' }).click();
  await visit.said('Toegevoegd aan het dagboek.');
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

test('signals: what is filled in about a case stays when somebody else changes it', { as: 'fraud' }, async (visit) => {
  const { page, stack } = visit;
  const dialog = await openSignal(visit, 'Vooraf gedeclareerd');
  const id = new URLSearchParams(page.url().split('?')[1]).get('signal');
  const change = (state, assignee) => stack.ask('admin', 'PUT', `anomalies/${id}/case`, { state, assignee });
  const told = dialog.getByRole('status').getByText(/^Ada Beheer heeft de zaak intussen gewijzigd/);
  const note = dialog.getByLabel(/Toelichting/);
  const save = dialog.getByRole('button', { name: 'Zaak bijwerken' });
  await note.fill('Twee keer gebeld');
  assert.equal(await told.count(), 0);
  // What the page has not heard of is not written over.
  await change('IN_RESEARCH', 'Ada Beheer');
  await save.click();
  await visit.visible(told.and(dialog.getByText(/in onderzoek, bij Ada Beheer\. Wat u invulde staat er nog/)));
  assert.equal(await note.inputValue(), 'Twee keer gebeld');
  assert.ok(await dialog.getByLabel('in onderzoek').isChecked(), 'the state follows');
  assert.equal(await dialog.getByLabel('Aan wie').inputValue(), 'Ada Beheer');
  assert.equal((await visit.ask(`anomalies/${id}`)).case.changed_by, 'Ada Beheer', 'nothing was sent');
  // What the page hears of leaves what was chosen and typed here as it is.
  await dialog.getByLabel('gegrond', { exact: true }).check();
  await change('UNFOUNDED', null);
  await dialog.getByLabel('Aantekening').fill('Aanbieder gesproken');
  await dialog.getByRole('button', { name: 'Aan het dagboek toevoegen' }).click();
  await visit.visible(told.and(dialog.getByText(/ongegrond\. Wat u invulde staat er nog/)));
  assert.equal(await note.inputValue(), 'Twee keer gebeld');
  assert.ok(await dialog.getByLabel('gegrond', { exact: true }).isChecked(), 'the state that was chosen stays');
  assert.equal(await dialog.getByLabel('Aan wie').inputValue(), '', 'who was not touched follows');
  await save.click();
  await visit.said('De zaak is bijgewerkt.');
  await visit.visible(dialog.locator('blockquote').getByText('Twee keer gebeld'));
  assert.equal(await note.inputValue(), '');
  assert.equal(await told.count(), 0);
  assert.equal((await visit.ask(`anomalies/${id}`)).case.state, 'FOUNDED');
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

test('signals: a case by keyboard alone, in English', { as: 'fraud', language: 'en' }, async (visit) => {
  const { page } = visit;
  const kind = 'Implausibly long';
  await visit.go('#/signals?view=list&search=WMO-9002');
  const button = opener(page, kind);
  await tabTo(page, button, 100);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: kind });
  await visit.visible(dialog.getByRole('heading', { name: 'Evidence side by side' }));
  const save = async (text) => {
    await tabTo(page, dialog.getByRole('button', { name: 'Update case' }));
    await page.keyboard.press('Enter');
    // The form begins anew with the answer.
    await visit.visible(dialog.getByRole('listitem').getByText(text, { exact: true }));
  };
  await tabTo(page, dialog.getByLabel('new', { exact: true }));
  await page.keyboard.press('ArrowRight');
  await tabTo(page, dialog.getByLabel('To whom'));
  await retype(page, 'Fenna Feiten');
  await tabTo(page, dialog.getByLabel('Explanation (optional)'));
  await page.keyboard.insertText('A day and a night');
  await save('State: in research, with Fenna Feiten');
  await visit.said('The case was updated.');
  await visit.visible(dialog.getByText('A day and a night'));
  await tabTo(page, dialog.getByLabel('in research'));
  await page.keyboard.press('ArrowRight');
  await tabTo(page, dialog.getByLabel('To whom'));
  await retype(page, '');
  await page.keyboard.press('Delete');
  await save('State: founded');
  await tabTo(page, dialog.getByLabel('Entry', { exact: true }));
  await page.keyboard.insertText('Agreed with the provider');
  await tabTo(page, dialog.getByRole('button', { name: 'Add to the diary' }));
  await page.keyboard.press('Enter');
  await visit.said('Added to the diary.');
  await visit.visible(dialog.getByText('Agreed with the provider'));
  await page.keyboard.press('Escape');
  await visit.gone(dialog);
  await focused(page, button);
  await visit.visible(page.getByRole('row').filter({ hasText: kind }).getByText('founded', { exact: true }));
});

test('signals: a case on a phone, also when the server is away for a moment', { as: 'fraud', screen: phone }, async (visit) => {
  const { page } = visit;
  const dialog = await openSignal(visit, 'Laat gedeclareerd');
  const sideways = () => dialog.evaluate((element) => element.scrollWidth - element.clientWidth);
  assert.equal(await sideways(), 0, 'the dialog is within the window');
  visit.guard.allowed.push(/ERR_FAILED/);
  await page.route('**/diary', (route) => route.abort());
  const note = dialog.getByLabel('Aantekening');
  await note.fill('Achterstand bij de aanbieder');
  await dialog.getByRole('button', { name: 'Aan het dagboek toevoegen' }).click();
  await visit.visible(dialog.getByRole('alert').getByText('De server is niet bereikbaar. Controleer de verbinding.'));
  assert.equal(await note.inputValue(), 'Achterstand bij de aanbieder', 'what was written is kept');
  await page.unroute('**/diary');
  await dialog.getByRole('button', { name: 'Aan het dagboek toevoegen' }).click();
  await visit.said('Toegevoegd aan het dagboek.');
  await visit.visible(dialog.locator('blockquote').getByText('Achterstand bij de aanbieder'));
  assert.equal(await note.inputValue(), '');
  assert.equal(await sideways(), 0);
});

test('signals: sorted, and downloaded as CSV', { as: 'fraud' }, async (visit) => {
  const { page } = visit;
  await visit.go(`${list}&municipality=0363`);
  await page.getByRole('button', { name: 'Soort', exact: true }).click();
  await page.getByRole('columnheader', { name: 'Soort' }).and(page.locator('[aria-sort="descending"]')).waitFor();
  await visit.settled();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Downloaden als CSV' }).click(),
  ]);
  const parts = [];
  for await (const part of await download.createReadStream()) {
    parts.push(part);
  }
  const lines = Buffer.concat(parts).toString('utf8').trim().split('\r\n');
  assert.ok(lines[0].includes('anomaly_id'), lines[0]);
  assert.ok(lines.length > 10 && lines.slice(1).every((line) => line.includes('WMO-9001')));
});
