/* Walking through a page by Tab. */
import assert from 'node:assert/strict';

/* Marks what can have the focus, in the order of the document; gives how many there are. */
function markFocusable() {
  const selector = 'a[href], button, input, select, textarea, summary, [tabindex]';
  const usable = [...document.querySelectorAll(selector)].filter(
    (element) =>
      element.tabIndex >= 0 &&
      !element.matches(':disabled') &&
      element.checkVisibility({ visibilityProperty: true }) &&
      // Of a group of radio buttons one has the focus.
      !(element.matches('input[type="radio"]:not(:checked)') && document.querySelector(`input[name="${element.name}"]:checked`)),
  );
  usable.forEach((element, index) => {
    element.dataset.walk = String(index);
  });
  return usable.length;
}

function readFocus() {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
  // A box of which only the label is seen shows the focus there.
  const around = element.closest('label, .field');
  const shown = around !== null && getComputedStyle(around).outlineStyle !== 'none';
  return {
    index: element.dataset.walk === undefined ? -1 : Number(element.dataset.walk),
    what: element.outerHTML.slice(0, 120),
    visible: outlined || shown || style.boxShadow !== 'none',
    inView: box.width > 0 && box.bottom > 0 && box.top < window.innerHeight && box.right > 0 && box.left < window.innerWidth,
  };
}

/*
 * Presses Tab through the page, at most `most` times: everything that can be used gets the focus, in the order in which
 * it stands, is in view then, and shows it.
 */
export async function walk(page, most = 60) {
  await page.evaluate(() => {
    document.activeElement?.blur();
    window.getSelection()?.removeAllRanges();
    window.scrollTo(0, 0);
  });
  const count = Math.min(most, await page.evaluate(markFocusable));
  assert.ok(count > 2, 'there is something to walk through');
  for (let index = 0; index < count; index++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(readFocus);
    // A date has a stop for day, month and year each.
    for (let stops = 0; stops < 4 && index > 0 && at.index === index - 1; stops++) {
      await page.keyboard.press('Tab');
      Object.assign(at, await page.evaluate(readFocus));
    }
    assert.equal(at.index, index, `stop ${index + 1} is ${at.what}`);
    assert.ok(at.visible, `the focus shows at ${at.what}`);
    assert.ok(at.inView, `in view is ${at.what}`);
  }
}

/* What has the focus now has this accessible name. */
export async function focused(page, locator) {
  await locator.waitFor();
  await page.waitForFunction((element) => document.activeElement === element, await locator.elementHandle());
}

const hasFocus = (locator) => locator.evaluate((element) => element === document.activeElement);

/* Presses Tab until this has the focus, `most` times at most. */
export async function tabTo(page, locator, most = 60) {
  await locator.waitFor();
  for (let stops = 0; !(await hasFocus(locator)); stops++) {
    assert.ok(stops < most, `${locator} is reached by Tab`);
    await page.keyboard.press('Tab');
  }
}

/* Types into what has the focus, in place of what stands there. */
export async function retype(page, text) {
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(text);
}

/* Opens the menu of a row, goes to the item by its first letters, and takes it. */
export async function takeFromMenu(page, button, item) {
  await tabTo(page, button, 200);
  await page.keyboard.press('Enter');
  const items = page.getByRole('menuitem');
  await focused(page, items.first());
  const wanted = page.getByRole('menuitem', { name: item, exact: true });
  for (let stops = await items.count(); !(await hasFocus(wanted)); stops--) {
    assert.ok(stops > 0, `${item} is in the menu`);
    await page.keyboard.press('ArrowDown');
  }
  await page.keyboard.press('Enter');
}
