/* The list of alerts: filters, what people do, and what comes while it is open. */
import assert from 'node:assert/strict';
import { liveEvent } from './events.mjs';
import { focused } from './keyboard.mjs';
import { test } from './runner.mjs';
import { until } from './stack.mjs';
import { phone } from './visit.mjs';

const table = (page) => page.getByRole('table', { name: /^(Waarschuwingen|Alerts)$/ });
const row = (page, decision, kind = 'Evaluatie nodig') =>
  table(page).getByRole('row').filter({ hasText: decision }).filter({ hasText: kind });
const total = async (page) => Number(/^\d+/.exec(await page.locator('.list-total').textContent())?.[0]);

/* Opens the row's menu and takes what is called `action`; gives the dialog that opens. */
async function act(page, decision, action, kind) {
  await row(page, decision, kind).getByRole('button', { name: /^Act/ }).click();
  await page.getByRole('menuitem', { name: action, exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  return dialog;
}

const evaluations = '#/alerts?kind=EVALUATION_DUE';

test('alerts: filters narrow the list, stand in the address, and can be cleared', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/alerts');
  await visit.heading('Waarschuwingen');
  const all = await total(page);
  assert.ok(all > 15, `${all} alerts`);
  await page.getByRole('button', { name: 'Soort: Alle' }).click();
  await page.getByRole('checkbox', { name: 'Evaluatie nodig' }).check();
  await page.keyboard.press('Escape');
  await focused(page, page.getByRole('button', { name: 'Soort: Evaluatie nodig' }));
  assert.ok(page.url().endsWith('#/alerts?kind=EVALUATION_DUE'), page.url());
  await until(120_000, 'fewer alerts', async () => (await total(page)) < all);
  await page.getByRole('button', { name: 'Ernst: Alle' }).click();
  await page.getByRole('checkbox', { name: 'kritiek' }).check();
  const critical = async () => {
    const texts = (await table(page).getByRole('row').allTextContents()).slice(1);
    return texts.length > 0 && texts.every((text) => text.includes('kritiek') && text.includes('Evaluatie nodig'));
  };
  await until(120_000, 'critical ones only', critical);
  await page.reload();
  await visit.heading('Waarschuwingen');
  await visit.visible(table(page));
  assert.ok(await critical());
  await page.getByRole('button', { name: 'Filters wissen' }).click();
  // Others work on them meanwhile.
  await until(120_000, 'all alerts', async () => (await total(page)) > 15);
  await page.getByLabel('Zoek toewijzing').fill('wmo-2001');
  await until(120_000, 'the one that was searched', async () =>
    (await table(page).getByRole('row').allTextContents()).slice(1).every((text) => text.includes('WMO-2001')),
  );
  await visit.visible(row(page, 'WMO-2001', 'Surplus is op'));
});

test('alerts: sorted, loaded further, and downloaded as CSV', { as: 'regional' }, async (visit) => {
  const { page } = visit;
  // Of the simulated region, in which nobody works.
  await visit.go('#/alerts?municipality=0202');
  await visit.visible(page.locator('.list-total').getByText(/^\d/));
  assert.equal(await table(page).getByRole('row').count(), 51);
  await page.getByRole('button', { name: 'Meer laden' }).click();
  await until(120_000, 'the second page', async () => (await table(page).getByRole('row').count()) > 51);
  await page.getByRole('button', { name: 'Datum', exact: true }).click();
  await page.getByRole('columnheader', { name: 'Datum' }).and(page.locator('[aria-sort="descending"]')).waitFor();
  assert.ok(page.url().includes('sort=-effective_on'));
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Downloaden als CSV' }).click(),
  ]);
  const lines = [];
  for await (const chunk of await download.createReadStream()) {
    lines.push(chunk);
  }
  const text = Buffer.concat(lines).toString('utf8').trim().split('\r\n');
  assert.equal(text.length - 1, await total(page), 'every alert is in the file');
  assert.ok(text[0].includes('alert_id'), text[0]);
});

test('alerts: assigned to oneself, and found by that', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go(evaluations);
  const dialog = await act(page, 'WMO-1002', 'Toewijzen');
  await dialog.getByRole('button', { name: 'Aan mij' }).click();
  assert.equal(await dialog.getByLabel('Aan wie').inputValue(), 'Coby Contract');
  await dialog.getByRole('button', { name: 'Toewijzen', exact: true }).click();
  await visit.gone(dialog);
  await visit.said('Toegewezen aan Coby Contract.');
  await visit.visible(row(page, 'WMO-1002').getByText('Bij Coby Contract'));
  await visit.go('#/alerts?assignee=@me');
  assert.equal(await total(page), 1);
  await visit.visible(row(page, 'WMO-1002'));
});

test('alerts: acknowledged with a note, by keyboard alone', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go(evaluations);
  const button = row(page, 'WMO-1003').getByRole('button', { name: /^Acties/ });
  await button.focus();
  await page.keyboard.press('Enter');
  await focused(page, page.getByRole('menuitem').first());
  await page.keyboard.press('Escape');
  await focused(page, button);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('g');
  await focused(page, page.getByRole('menuitem', { name: 'Gezien' }));
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Waarschuwing als gezien markeren' });
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await visit.gone(dialog);
  await focused(page, button);
  await page.keyboard.press('Enter');
  await page.keyboard.press('g');
  await page.keyboard.press('Enter');
  const note = dialog.getByLabel(/Notitie/);
  for (let stop = 0; stop < 6 && !(await note.evaluate((element) => element === document.activeElement)); stop++) {
    await page.keyboard.press('Tab');
  }
  await focused(page, note);
  await page.keyboard.type('Gebeld met de aanbieder <b>vandaag</b>');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await visit.gone(dialog);
  await focused(page, button);
  await visit.visible(row(page, 'WMO-1003').getByText('“Gebeld met de aanbieder <b>vandaag</b>”'));
  await visit.visible(row(page, 'WMO-1003').getByText(/Gezien door Coby Contract op/));
});

test('alerts: snoozed until a date, out of the list, and back', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go(evaluations);
  const dialog = await act(page, 'WMO-1004', 'Uitstellen');
  const date = dialog.getByLabel('Terug op');
  await date.fill('2000-01-01');
  await dialog.getByRole('button', { name: 'Uitstellen', exact: true }).click();
  assert.equal(await date.evaluate((element) => element.validity.valid), false, 'a day that has been is refused');
  await dialog.getByRole('button', { name: 'Over 2 weken' }).click();
  await dialog.getByLabel(/Notitie/).fill('Wacht op de wijkverpleging');
  await dialog.getByRole('button', { name: 'Uitstellen', exact: true }).click();
  await visit.gone(dialog);
  await visit.said(/^Uitgesteld tot /);
  await visit.visible(page.getByText('1 uitgesteld, niet getoond'));
  await visit.go(`${evaluations}&sort=effective_on`);
  assert.equal(await row(page, 'WMO-1004').count(), 0);
  await page.locator('.list-total').getByRole('button', { name: 'Tonen' }).click();
  await visit.visible(row(page, 'WMO-1004').getByText('“Wacht op de wijkverpleging”'));
  await row(page, 'WMO-1004').getByRole('button', { name: /^Acties/ }).click();
  await page.getByRole('menuitem', { name: 'Uitstel opheffen' }).click();
  await visit.said('Het uitstel is opgeheven.');
  await visit.go(evaluations);
  await visit.visible(row(page, 'WMO-1004'));
});

test('alerts: an evaluation is reported, becomes an event, and its alert resolves in the open page', { as: 'manager' }, async (visit) => {
  const { page, stack } = visit;
  // Others change what they have of this list.
  await visit.go(`${evaluations}&search=WMO-1001`);
  await visit.visible(page.getByRole('status').getByText('Live', { exact: true }));
  await visit.visible(page.locator('.list-total').getByText('1 waarschuwing', { exact: true }));
  const dialog = await act(page, 'WMO-1001', 'Evaluatie melden');
  await dialog.getByLabel('Gehouden op').fill('2026-03-12');
  await dialog.getByLabel('aanpassen').check();
  await dialog.getByRole('button', { name: 'Evaluatie melden' }).click();
  await visit.gone(dialog);
  // Where it was processed before the server's answer is here, only that is said.
  await visit.said(/^De evaluatie is gemeld\. De waarschuwing sluit|^De evaluatie van WMO-1001 is verwerkt/);
  // Nothing is loaded anew: Kafka, the processor, Kafka and the stream bring it here.
  await visit.visible(row(page, 'WMO-1001').getByText('opgelost'));
  await visit.visible(page.locator('.list-total').getByText('0 waarschuwingen', { exact: true }));
  await visit.said('De evaluatie van WMO-1001 is verwerkt; de waarschuwing is opgelost.');
  const facts = "SELECT what FROM urenwacht.fact WHERE topic = 'EVALUATION' AND client = 'c-anna' AND first_day = '2026-03-12'";
  assert.equal(await stack.sql(facts), 'ADJUST', 'it is a fact that came from Kafka');
  await visit.go(evaluations);
  assert.equal(await row(page, 'WMO-1001').count(), 0, 'it is no longer open');
});

test('alerts: one that comes while the list is open is told, and shown when asked for', { as: 'manager' }, async (visit) => {
  const { page, stack } = visit;
  await visit.go('#/alerts?kind=BUDGET_LOW&search=WMO-4001');
  await visit.visible(page.getByRole('status').getByText('Live', { exact: true }));
  await visit.visible(page.getByText('Er zijn geen waarschuwingen die hieraan voldoen.'));
  stack.feed(liveEvent(0));
  await visit.visible(page.getByText('1 nieuwe waarschuwing'));
  assert.equal(await table(page).count(), 0, 'nothing moves by itself');
  await page.locator('.fresh-bar').getByRole('button', { name: 'Tonen' }).click();
  await visit.visible(row(page, 'WMO-4001', 'Budget raakt op'));
  await focused(page, row(page, 'WMO-4001', 'Budget raakt op').getByRole('button', { name: 'Budget raakt op', exact: true }));
});

test('alerts: one that does not belong to the filters is not told', { as: 'manager' }, async (visit) => {
  const { page, stack } = visit;
  await visit.go('#/alerts?kind=BUDGET_LOW&search=WMO-4002');
  await visit.visible(page.getByRole('status').getByText('Live', { exact: true }));
  stack.feed(liveEvent(2), liveEvent(1));
  await visit.visible(page.getByText('1 nieuwe waarschuwing', { exact: true }));
});

test('alerts: details have the history and what was done, Escape gives the focus back', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/alerts?search=WMO-2001');
  const opener = row(page, 'WMO-2001', 'Surplus is op').getByRole('button', { name: 'Surplus is op', exact: true });
  await opener.click();
  const dialog = page.getByRole('dialog', { name: 'Surplus is op' });
  await dialog.waitFor();
  await visit.visible(dialog.getByRole('heading', { name: 'Geschiedenis' }));
  await visit.visible(dialog.getByText('Nog niets gedaan.'));
  assert.ok(page.url().includes('alert='), 'it can be linked to');
  await page.reload();
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await visit.gone(dialog);
  await opener.click();
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await focused(page, opener);
});

test('alerts: assigned to somebody, and to nobody again, in English', { as: 'colleague', language: 'en' }, async (visit) => {
  const { page } = visit;
  await visit.go(evaluations);
  const kind = 'Evaluation due';
  let dialog = await act(page, 'WMO-1011', 'Assign', kind);
  await focused(page, dialog.getByLabel('To whom'));
  await page.keyboard.insertText('Team Noord');
  await page.keyboard.press('Enter');
  await visit.gone(dialog);
  await visit.said('Assigned to Team Noord.');
  await visit.visible(row(page, 'WMO-1011', kind).getByText('With Team Noord'));
  await visit.go(`${evaluations}&assignee=Team%20Noord`);
  assert.equal(await total(page), 1);
  dialog = await act(page, 'WMO-1011', 'Assign', kind);
  assert.equal(await dialog.getByLabel('To whom').inputValue(), 'Team Noord');
  await dialog.getByLabel('To whom').fill('');
  await dialog.getByRole('button', { name: 'Assign', exact: true }).click();
  await visit.said('Assigned to nobody.');
  await visit.gone(row(page, 'WMO-1011', kind).getByText('With Team Noord'));
});

test('alerts: what cannot be sent is said, and what was typed is kept', { as: 'colleague', screen: phone }, async (visit) => {
  const { page } = visit;
  visit.guard.allowed.push(/ERR_FAILED/);
  await page.route('**/acknowledgement', (route) => route.abort());
  await visit.go(`${evaluations}&search=WMO-1013`);
  const dialog = await act(page, 'WMO-1013', 'Gezien');
  await dialog.getByLabel(/Notitie/).fill('Met de hand');
  await dialog.getByRole('button', { name: 'Gezien', exact: true }).click();
  await visit.visible(dialog.getByRole('alert').getByText('De server is niet bereikbaar. Controleer de verbinding.'));
  assert.equal(await dialog.getByLabel(/Notitie/).inputValue(), 'Met de hand');
  await page.unroute('**/acknowledgement');
  await dialog.getByRole('button', { name: 'Gezien', exact: true }).click();
  await visit.gone(dialog);
  await visit.said('Gemarkeerd als gezien.');
  await visit.visible(row(page, 'WMO-1013').getByText('“Met de hand”'));
});

test('alerts: what was seen is new again once it changes', { as: 'colleague' }, async (visit) => {
  const { page, stack } = visit;
  stack.feed(liveEvent(7));
  const asked = 'alerts?kind=BUDGET_LOW&search=WMO-4008';
  await until(120_000, 'its alert', async () => (await visit.ask(asked)).items.length === 1);
  await visit.go(`#/${asked}`);
  await visit.visible(page.getByRole('status').getByText('Live', { exact: true }));
  const kind = 'Budget raakt op';
  await row(page, 'WMO-4008', kind).getByRole('button', { name: kind, exact: true }).click();
  const detail = page.getByRole('dialog', { name: kind });
  await detail.getByRole('button', { name: 'Gezien', exact: true }).click();
  const form = page.getByRole('dialog', { name: 'Waarschuwing als gezien markeren' });
  await form.getByRole('button', { name: 'Gezien', exact: true }).click();
  await visit.gone(form);
  await visit.visible(detail.getByText(/^Gezien door Daan Dossier op/));
  await visit.visible(detail.getByText('Gemarkeerd als gezien', { exact: true }));
  await page.keyboard.press('Escape');
  await visit.gone(detail);
  await visit.visible(row(page, 'WMO-4008', kind).getByText(/^Gezien door Daan Dossier op/));
  // Hours that come later and lie earlier: the threshold was crossed before.
  stack.feed(liveEvent(7, 'LIVE-2', '2026-03-02'));
  await visit.visible(row(page, 'WMO-4008', kind).getByText('3 mrt 2026'));
  await visit.visible(row(page, 'WMO-4008', kind).getByText('nieuw', { exact: true }));
  await visit.visible(row(page, 'WMO-4008', kind).getByText('bijgewerkt', { exact: true }));
});
