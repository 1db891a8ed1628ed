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
    const answered = page.waitForResponse((answer) => answer.url().endsWith('/session') && answer.request().method() === 'POST');
    await logIn(visit, wrong);
    assert.ok([400, 401].includes((await answered).status()), wrong);
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

test('session: a server that has too much to do is asked again when it said so, and not by all at once', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  visit.guard.allowed.push(/status of 503/);
  // Chance, as it is to be with another reader.
  await page.addInitScript(() => {
    Math.random = () => 0.75;
  });
  const asked = [];
  await page.route(/v1\/(stream|session)/, async (route) => {
    asked.push({ what: /v1\/(\w+)/.exec(route.request().url())[1], at: performance.now() });
    // The session as the page begins, the stream, which is refused, and why.
    await (asked.length === 2 || asked.length === 3
      ? route.fulfill({ status: 503, headers: { 'Retry-After': '3' }, body: '' })
      : route.continue());
  });
  await visit.go('#/');
  await visit.visible(page.getByRole('status').getByText('Niet live: verbinding wordt hersteld'));
  await visit.visible(page.getByRole('status').getByText('Live', { exact: true }));
  assert.deepEqual(asked.map(({ what }) => what), ['session', 'stream', 'session', 'session', 'stream']);
  const pause = (index) => asked[index].at - asked[index - 1].at;
  assert.ok(pause(2) > 1_000 + 0.75 * 2_000, `about two seconds, by chance: ${pause(2)} ms`);
  assert.ok(pause(3) > 3_000 + 0.75 * 4_000, `what was asked for, and twice the chance: ${pause(3)} ms`);
});

test('session: a stream that is lost goes on where it was, also when nothing has come yet', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await page.addInitScript(() => {
    window.streams = [];
    const Plain = window.EventSource;
    window.EventSource = class extends Plain {
      constructor(address) {
        super(address);
        window.streams.push(this);
        for (const kind of ['position', 'alert', 'anomaly']) {
          this.addEventListener(kind, (event) => (this.last = event.lastEventId));
        }
      }
    };
  });
  await visit.go('#/');
  await page.waitForFunction(() => window.streams.length === 1 && window.streams[0].last !== undefined);
  const before = await page.evaluate(() => {
    // As the browser tells of a connection that is no more.
    window.streams[0].dispatchEvent(new Event('error'));
    return window.streams[0].last;
  });
  await page.waitForFunction(() => window.streams.length === 2 && window.streams[1].readyState === EventSource.OPEN);
  const [state, address] = await page.evaluate(() => [window.streams[0].readyState, window.streams[1].url]);
  assert.equal(state, 2, 'the browser does not come back by itself as well');
  assert.equal(new URL(address).searchParams.get('last_event_id'), before);
  await visit.visible(page.getByRole('status').getByText('Live', { exact: true }));
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
