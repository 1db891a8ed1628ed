/* What holds for every page: both languages, both themes, a phone, the keyboard, and what axe-core finds. */
import assert from 'node:assert/strict';
import { axeFindings } from './axe.mjs';
import { LONG } from './events.mjs';
import { walk } from './keyboard.mjs';
import { pages } from './pages.mjs';
import { test } from './runner.mjs';
import { phone } from './visit.mjs';

/* What sticks out of the window at the right, and so makes the page scroll sideways. */
function wideElements() {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) {
    return [];
  }
  const wide = [...document.querySelectorAll('body *')].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.right > width + 0.5;
  });
  return [`${document.documentElement.scrollWidth} of ${width}`, ...wide.slice(0, 5).map((one) => one.outerHTML.slice(0, 140))];
}

/* What no English text has. */
const dutchWords = /\b(de|het|een|van|niet|voor|geleverd|waarschuwing|toewijzing|aanbieder|gemeente|uur)\b/i;

for (const one of pages) {
  const as = { as: one.as, statuses: one.statuses };

  test(`${one.name}: light and dark, Dutch and English, by keyboard, within the window`, as, async (visit) => {
    const { page } = visit;
    await visit.go(one.address);
    await visit.heading(one.nl);
    assert.equal(await page.locator('html').getAttribute('lang'), 'nl');
    await visit.picture(`${one.name}-light`);
    assert.deepEqual(await page.evaluate(wideElements), []);
    assert.deepEqual(await axeFindings(page), [], 'light');
    await walk(page);
    await page.getByRole('combobox', { name: 'Weergave' }).selectOption('Donker');
    await page.getByRole('button', { name: 'English' }).click();
    await visit.heading(one.en);
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
    assert.ok((await page.title()).startsWith(`${one.en} – `), await page.title());
    await page.reload();
    await visit.heading(one.en);
    await visit.picture(`${one.name}-dark`);
    const words = await page.locator('#main').evaluate((main) =>
      // Titles of columns and the names of parts; what people wrote stays as it is.
      [...main.querySelectorAll('h1, h2, h3, th[scope="col"], label, button, caption, legend, .hint')].map((part) => part.textContent),
    );
    assert.deepEqual(words.filter((text) => dutchWords.test(text)), []);
    assert.deepEqual(await axeFindings(page), [], 'dark');
  });

  test(`${one.name}: on a phone nothing sticks out`, { ...as, screen: phone }, async (visit) => {
    await visit.go(one.address);
    await visit.heading(one.nl);
    await visit.picture(`${one.name}-phone`);
    assert.deepEqual(await visit.page.evaluate(wideElements), []);
    assert.deepEqual(await axeFindings(visit.page, ['color-contrast']), []);
    if (one.as !== null) {
      await visit.page.getByRole('button', { name: 'Menu' }).click();
      await visit.visible(visit.page.getByRole('navigation', { name: 'Hoofdmenu' }));
      assert.deepEqual(await visit.page.evaluate(wideElements), []);
    }
  });
}

test('names as long as they may be stick out nowhere', { as: 'fraud', screen: phone }, async (visit) => {
  const { page } = visit;
  const inside = async (address, name) => {
    await visit.go(address);
    await visit.visible(page.getByText(name).first());
    assert.deepEqual(await page.evaluate(wideElements), [], address);
    // A table may be too wide for its card, which the page around it does not show.
    const cards = await page.locator('.card').evaluateAll((all) => all.map((card) => card.scrollWidth - card.clientWidth));
    assert.ok(cards.every((wider) => wider <= 0), `${address}: ${cards}`);
  };
  for (const screen of [phone.viewport, { width: 1280, height: 900 }]) {
    await page.setViewportSize(screen);
    await inside(`#/decisions/0363/${LONG.decision}?client=${LONG.client}`, LONG.client);
    await inside('#/decisions?municipality=0363', LONG.client);
    await inside(`#/alerts?search=${LONG.decision}`, LONG.client);
    await inside('#/signals?view=list&kind=IMPLAUSIBLE_DURATION&municipality=0363', LONG.staff);
  }
});
