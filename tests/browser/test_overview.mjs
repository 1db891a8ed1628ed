/* What to do today. */
import { test } from './runner.mjs';
import { until } from './stack.mjs';

/* The number of a tile. */
const tile = (page, title) => page.locator('.tile', { has: page.getByRole('heading', { name: title }) });

test('overview: figures are those of the lists behind them', { as: 'manager' }, async (visit) => {
  const { page } = visit;
  const counted = async () => {
    const { items } = await visit.ask('alerts?kind=EVALUATION_DUE&effective_to=2026-03-31&valid_on=2026-03-16&limit=1000');
    return items.filter((alert) => alert.workflow.state !== 'SNOOZED').length;
  };
  // Other tests report evaluations meanwhile: what was the same before and after is what the page has seen.
  await until(120_000, 'the figure is that of the list', async () => {
    const before = await counted();
    await visit.go('#/');
    const number = Number(await tile(page, 'Evaluaties deze maand').locator('.tile-number').textContent());
    return number === before && number >= 3 && (await counted()) === before;
  });
  await visit.visible(page.getByText('Stand per maandag 16 maart 2026'));
  const first = page.locator('section', { has: page.getByRole('heading', { name: 'Eerst te evalueren' }) });
  await visit.visible(first.getByText(/dagen te laat/));
  await visit.visible(page.locator('section', { has: page.getByRole('heading', { name: 'Pas over een grens' }) }).getByText(/0363 · /));
});
