/* What to do today. */
import assert from 'node:assert/strict';
import { liveEvent } from './events.mjs';
import { test } from './runner.mjs';
import { until } from './stack.mjs';

/* The number of a tile. */
const tile = (page, title) => page.locator('.tile', { has: page.getByRole('heading', { name: title }) });

test('overview: figures are those of the lists behind them', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  await visit.go('#/');
  await visit.visible(page.getByText('Stand per maandag 16 maart 2026'));
  const due = await visit.ask('alerts?kind=EVALUATION_DUE&effective_to=2026-03-31&valid_on=2026-03-16&limit=1000');
  const number = await tile(page, 'Evaluaties deze maand').locator('.tile-number').textContent();
  assert.ok(Number(number) >= 5, `${number} evaluations`);
  assert.equal(Number(number), due.items.filter((alert) => alert.workflow.state !== 'SNOOZED').length);
  const first = page.locator('section', { has: page.getByRole('heading', { name: 'Eerst te evalueren' }) });
  await visit.visible(first.getByText(/dagen te laat/));
  await visit.visible(page.locator('section', { has: page.getByRole('heading', { name: 'Pas over een grens' }) }).getByText(/0363 · /));
});
