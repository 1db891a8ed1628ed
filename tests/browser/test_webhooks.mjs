/* Webhooks: everything that an administrator does with one, with a receiver that checks what comes. */
import assert from 'node:assert/strict';
import { axeFindings } from './axe.mjs';
import { liveEvent } from './events.mjs';
import { focused, retype, tabTo, takeFromMenu } from './keyboard.mjs';
import { signatures } from './receiver.mjs';
import { test } from './runner.mjs';
import { until } from './stack.mjs';
import { phone } from './visit.mjs';

const WAIT_MS = 120_000;
const address = '#/administration?view=webhooks';
const row = (page, name) => page.getByRole('row').filter({ hasText: name });
const menu = (page, name, label = 'Acties') => page.getByRole('button', { name: `${label}: ${name}`, exact: true });

async function act(page, name, action, label) {
  await menu(page, name, label).click();
  await page.getByRole('menuitem', { name: action, exact: true }).click();
}

/* The secret that stands in the dialog, which is then closed. */
async function readSecret(visit, title, kept) {
  const { page } = visit;
  const shown = page.getByRole('dialog', { name: title });
  await shown.waitFor();
  const secret = await shown.locator('code').textContent();
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  await shown.getByRole('button', { name: kept }).click();
  await visit.gone(shown);
  assert.ok(!(await page.content()).includes(secret), 'it is shown once');
  return secret;
}

/* A webhook that is there when the page is opened; gives it with its secret. */
async function made({ stack }, name, filter = {}) {
  const url = stack.receiver.url(`/${encodeURIComponent(name)}`);
  return stack.ask('admin', 'POST', 'webhooks', { name, url, filter });
}

const came = ({ stack }, name, count) =>
  until(WAIT_MS, `${count} messages for ${name}`, () => {
    const got = stack.receiver.at(`/${encodeURIComponent(name)}`);
    return got.length >= count && got;
  });

/* Waits until the webhook, as the API has it, is as it should be. */
const becomes = ({ stack }, id, what, condition) =>
  until(WAIT_MS, what, async () => {
    const { items } = await stack.ask('admin', 'GET', 'webhooks');
    const found = items.find((one) => one.id === id);
    return found !== undefined && condition(found) && found;
  });

test('webhooks: made by keyboard alone, the secret shown once and signing what comes', { as: 'admin' }, async (visit) => {
  const { page, stack } = visit;
  const name = 'Zaaksysteem';
  await visit.go(address);
  await visit.heading('Beheer');
  const opener = page.getByRole('button', { name: 'Nieuwe webhook', exact: true });
  await tabTo(page, opener);
  await page.keyboard.press('Enter');
  const form = page.getByRole('dialog', { name: 'Nieuwe webhook' });
  await focused(page, form.getByLabel('Naam'));
  await page.keyboard.insertText(name);
  await tabTo(page, form.getByLabel('Adres (URL)'));
  await retype(page, stack.receiver.url(`/${name}`));
  await tabTo(page, form.getByLabel('Waarschuwingen en signalen'));
  await page.keyboard.press('ArrowDown');
  assert.ok(await form.getByLabel('Alleen waarschuwingen').isChecked());
  await tabTo(page, form.getByRole('button', { name: 'Webhook maken' }));
  await page.keyboard.press('Enter');
  await visit.gone(form);
  await visit.said('De webhook is gemaakt.');
  const secret = await readSecret(visit, `Geheim van ${name}`, 'Ik heb het bewaard');
  await focused(page, opener);
  await visit.visible(row(page, name).getByText('actief', { exact: true }));
  await takeFromMenu(page, menu(page, name), 'Proefbericht sturen');
  await visit.said('Het proefbericht staat klaar om verstuurd te worden.');
  // An alert of another test may come before it.
  const first = await until(WAIT_MS, 'the test message', () =>
    stack.receiver.at(`/${name}`).find(({ event }) => event.type === 'nl.urenwacht.webhook.test'),
  );
  assert.equal(signatures(first, secret), 1, 'signed with the secret that was shown');
  assert.equal(signatures(first, `whsec_${'A'.repeat(43)}=`), 0, 'and with no other');
});

test('webhooks: what the server refuses is said in the form, which keeps what was typed', { as: 'admin', statuses: [400] }, async (visit) => {
  const { page } = visit;
  await visit.go(address);
  await page.getByRole('button', { name: 'Nieuwe webhook', exact: true }).click();
  const form = page.getByRole('dialog', { name: 'Nieuwe webhook' });
  await form.getByLabel('Naam').fill('Nergens');
  await form.getByLabel('Adres (URL)').fill('https://10.0.0.1/binnen');
  await form.getByRole('button', { name: 'Webhook maken' }).click();
  await visit.visible(form.getByRole('alert'));
  assert.equal(await form.getByLabel('Adres (URL)').inputValue(), 'https://10.0.0.1/binnen');
  await form.getByRole('button', { name: 'Annuleren' }).click();
  await visit.gone(form);
  await page.getByRole('button', { name: 'Vernieuwen', exact: true }).click();
  await visit.settled();
  assert.equal(await row(page, 'Nergens').count(), 0);
});

test('webhooks: changed, and its filter holds, in English', { as: 'admin', language: 'en' }, async (visit) => {
  const { page, stack } = visit;
  const webhook = await made(visit, 'Case system');
  await visit.go(address);
  await visit.heading('Administration');
  await act(page, 'Case system', 'Change', 'Actions');
  const form = page.getByRole('dialog', { name: 'Change webhook Case system' });
  await form.getByLabel('Name', { exact: true }).fill('Case system 2');
  await form.getByLabel('Alerts only').check();
  await form.locator('summary').click();
  await form.getByLabel('Budget runs low').check();
  await form.getByLabel('Municipalities').fill('0363');
  await form.getByLabel('Decision', { exact: true }).fill('WMO-4006');
  assert.equal(await form.getByLabel('Declared twice').count(), 0, 'kinds are those of what is sent');
  await form.getByRole('button', { name: 'Change', exact: true }).click();
  await visit.gone(form);
  await visit.said('The webhook was changed.');
  await visit.visible(row(page, 'Case system 2').getByText('Alerts only · Budget runs low · municipality 0363 · decision WMO-4006'));
  await becomes(visit, webhook.id, 'the filter', (one) => one.filter.decision === 'WMO-4006');
  // Another decision and another kind: of these, what comes first is what the filter lets through. An alert of another
  // test may have come before there was a filter.
  stack.feed(liveEvent(4), liveEvent(5));
  const [first] = await until(WAIT_MS, 'what the filter lets through', () => {
    const got = stack.receiver.at('/Case%20system').filter(({ event }) => ['0363/WMO-4005', '0363/WMO-4006'].includes(event.subject));
    return got.length > 0 && got;
  });
  assert.deepEqual([first.event.data.kind, first.event.subject], ['BUDGET_LOW', '0363/WMO-4006']);
  assert.equal(signatures(first, webhook.secret), 1);
});

test('webhooks: a new secret, while the old one signs as well', { as: 'admin' }, async (visit) => {
  const { page, stack } = visit;
  const webhook = await made(visit, 'Draaideur', { decision: 'NIETS' });
  await visit.go(address);
  await act(page, 'Draaideur', 'Nieuw geheim');
  const form = page.getByRole('dialog', { name: 'Nieuw geheim voor Draaideur' });
  await form.getByLabel('Overgang, in uren').fill('169');
  await form.getByRole('button', { name: 'Nieuw geheim' }).click();
  assert.equal(await form.getByLabel('Overgang, in uren').evaluate((field) => field.validity.valid), false, 'a week at most');
  await form.getByLabel('Overgang, in uren').fill('48');
  await form.getByRole('button', { name: 'Nieuw geheim' }).click();
  const secret = await readSecret(visit, 'Geheim van Draaideur', 'Ik heb het bewaard');
  assert.notEqual(secret, webhook.secret);
  await visit.visible(row(page, 'Draaideur').getByText(/^oud geheim geldt tot /));
  await stack.ask('admin', 'POST', `webhooks/${webhook.id}/test`);
  const [first] = await came(visit, 'Draaideur', 1);
  assert.deepEqual([signatures(first, secret), signatures(first, webhook.secret)], [1, 1]);
});

test('webhooks: the log tells what was sent and what was answered, and sends it once more', { as: 'admin' }, async (visit) => {
  const { page, stack } = visit;
  const name = 'Logboekje';
  const webhook = await made(visit, name, { decision: 'NIETS' });
  stack.receiver.answer(`/${name}`, 500);
  await visit.go(address);
  await act(page, name, 'Logboek');
  const log = page.getByRole('dialog', { name: `Logboek van ${name}` });
  await visit.visible(log.getByText('Er zijn geen berichten.'));
  await page.keyboard.press('Escape');
  await visit.gone(log);
  await focused(page, menu(page, name));
  await act(page, name, 'Proefbericht sturen');
  await came(visit, name, 2);
  await act(page, name, 'Logboek');
  const entry = log.getByRole('row').filter({ hasText: 'nl.urenwacht.webhook.test' });
  await visit.visible(entry.getByText('in de rij', { exact: true }));
  await visit.visible(entry.getByText(/500/));
  assert.equal(await entry.getByRole('button').count(), 0, 'what is queued is not sent again');
  stack.receiver.answer(`/${name}`, 204);
  const settled = await becomes(visit, webhook.id, 'delivered', (one) => one.queued === 0 && one.last_delivered_at !== null);
  assert.equal(settled.failed, 0);
  await log.getByRole('button', { name: 'Vernieuwen' }).click();
  await visit.visible(entry.getByText('afgeleverd', { exact: true }));
  const before = stack.receiver.at(`/${name}`);
  await entry.getByRole('button', { name: /^Nog eens sturen/ }).click();
  await visit.said('Het bericht staat weer in de rij.');
  const after = await came(visit, name, before.length + 1);
  assert.equal(new Set(after.map((one) => one.headers['webhook-id'])).size, 1, 'it has the same id');
  assert.deepEqual(await axeFindings(page), []);
});

test('webhooks: everything since a moment is sent once more', { as: 'admin', language: 'en' }, async (visit) => {
  const { page, stack } = visit;
  const { items } = await stack.ask('admin', 'GET', 'alerts?municipality=0518&status=OPEN&limit=1000');
  assert.ok(items.length > 0);
  const webhook = await made(visit, 'Once more', { municipality: '0518', topics: 'alerts' });
  await visit.go(address);
  await act(page, 'Once more', 'Send again since', 'Actions');
  const form = page.getByRole('dialog', { name: 'Send again to Once more' });
  await form.getByLabel('Since').fill('2026-01-01T00:00');
  await form.getByRole('button', { name: 'Send again' }).click();
  await visit.gone(form);
  await visit.said('Sending again has begun.');
  const wanted = items.map((alert) => `${alert.alert_id}-r${alert.revision}`);
  await until(WAIT_MS, 'every open alert', () => {
    const ids = new Set(stack.receiver.at('/Once%20more').map((one) => one.event.id));
    return wanted.every((id) => ids.has(id));
  });
  const got = stack.receiver.at('/Once%20more');
  assert.ok(got.every((one) => one.event.subject.startsWith('0518/') && signatures(one, webhook.secret) === 1));
});

test('webhooks: paused it keeps what happens, resumed it sends it, deleted it is gone', { as: 'admin' }, async (visit) => {
  const { page, stack } = visit;
  const name = 'Pauze';
  const webhook = await made(visit, name, { decision: 'WMO-4007', kind: 'BUDGET_LOW' });
  await visit.go(address);
  await act(page, name, 'Pauzeren');
  await visit.said('De webhook is gepauzeerd. Wat er gebeurt wordt bewaard.');
  await visit.visible(row(page, name).getByText('gepauzeerd', { exact: true }));
  stack.feed(liveEvent(6));
  await becomes(visit, webhook.id, 'one is queued', (one) => one.queued === 1);
  await page.getByRole('button', { name: 'Vernieuwen', exact: true }).click();
  await visit.visible(row(page, name).getByRole('cell', { name: '1', exact: true }));
  await menu(page, name).click();
  await visit.visible(page.getByRole('menuitem', { name: 'Hervatten', exact: true }));
  assert.ok(!(await page.getByRole('menuitem').allTextContents()).includes('Pauzeren'));
  await page.getByRole('menuitem', { name: 'Hervatten', exact: true }).click();
  await visit.said('De webhook gaat verder waar hij gebleven was.');
  const got = await came(visit, name, 1);
  assert.deepEqual(got.map((one) => one.event.data.decision), ['WMO-4007']);
  await act(page, name, 'Verwijderen');
  const dialog = page.getByRole('dialog', { name: `Webhook ${name} verwijderen` });
  await visit.visible(dialog.getByText(/Dit is niet ongedaan te maken/));
  await dialog.getByRole('button', { name: 'Annuleren' }).click();
  await visit.gone(dialog);
  assert.equal(await row(page, name).count(), 1);
  await act(page, name, 'Verwijderen');
  await dialog.getByRole('button', { name: 'Verwijderen' }).click();
  await visit.said('De webhook is verwijderd.');
  await visit.gone(row(page, name));
  const { items } = await stack.ask('admin', 'GET', 'webhooks');
  assert.ok(!items.some((one) => one.id === webhook.id));
});

test('webhooks: one whose access code was revoked stops, and is taken over', { as: 'admin' }, async (visit) => {
  const { page, stack } = visit;
  const name = 'Nalatenschap';
  const token = await stack.ask('admin', 'POST', 'tokens', { name: 'Wim Weg', role: 'regional', municipalities: null, days: 1 });
  stack.tokens.gone = token.secret;
  const webhook = await stack.ask('gone', 'POST', 'webhooks', { name, url: stack.receiver.url(`/${name}`), filter: {} });
  await visit.go('#/administration');
  await page.getByRole('button', { name: 'Toegangscode van Wim Weg intrekken' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Intrekken', exact: true }).click();
  await visit.said('De toegangscode is ingetrokken.');
  await becomes(visit, webhook.id, 'stopped', (one) => one.state === 'STOPPED');
  await page.getByRole('button', { name: 'Webhooks', exact: true }).click();
  await visit.visible(row(page, name).getByText('gestopt met de code', { exact: true }));
  await visit.visible(row(page, name).getByText('van Wim Weg'));
  await act(page, name, 'Overnemen');
  await visit.said('De webhook heeft nu de rechten van uw toegangscode.');
  await visit.visible(row(page, name).getByText('van Ada Beheer'));
  await visit.visible(row(page, name).getByText('actief', { exact: true }));
});

test('webhooks: one that its receiver has given up, on a phone', { as: 'admin', screen: phone }, async (visit) => {
  const { page, stack } = visit;
  const name = 'Verhuisd';
  const webhook = await made(visit, name, { decision: 'NIETS' });
  stack.receiver.answer(`/${name}`, 410);
  await stack.ask('admin', 'POST', `webhooks/${webhook.id}/test`);
  await becomes(visit, webhook.id, 'disabled', (one) => one.state === 'DISABLED');
  await visit.go(address);
  await visit.visible(row(page, name).getByText('geweigerd door ontvanger', { exact: true }));
  await act(page, name, 'Logboek');
  const log = page.getByRole('dialog', { name: `Logboek van ${name}` });
  await visit.visible(log.getByText(/410/));
  assert.deepEqual(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
  const sideways = await log.evaluate((element) => element.scrollWidth - element.clientWidth);
  assert.equal(sideways, 0, 'the log is within the window');
  await log.getByRole('button', { name: 'Sluiten' }).click();
  stack.receiver.answer(`/${name}`, 204);
  await act(page, name, 'Hervatten');
  await visit.visible(row(page, name).getByText('actief', { exact: true }));
  await becomes(visit, webhook.id, 'delivered', (one) => one.last_delivered_at !== null);
});
