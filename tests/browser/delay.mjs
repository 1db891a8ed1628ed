/*
 * From an event to its alert in an open page: an event is written to `urenwacht feed`, and the page notes when it sees
 * what came of it. One event at a time, so that each delay is that of a quiet system. Both clocks are the machine's.
 */
import { measured } from './events.mjs';
import { until } from './stack.mjs';

const COUNT = 50;
const WAIT_MS = 30_000;

/* In the page: notes when the stream brings an alert, and when a row's text or the count of new ones changes. */
function observe() {
  window.noted = { stream: {}, resolved: {}, told: 0, toldAt: 0 };
  const stream = new EventSource('api/v1/stream?topics=alerts');
  stream.addEventListener('open', () => {
    window.noted.open = true;
  });
  stream.addEventListener('alert', (event) => {
    const { decision, kind } = JSON.parse(event.data);
    window.noted.stream[`${decision} ${kind}`] ??= Date.now();
  });
  new MutationObserver(() => {
    const now = Date.now();
    for (const row of document.querySelectorAll('#main tbody tr')) {
      const decision = /DELAY-\d+/.exec(row.textContent)?.[0];
      if (decision !== undefined && row.textContent.includes('opgelost')) {
        window.noted.resolved[decision] ??= now;
      }
    }
    const told = Number(/^\d+/.exec(document.querySelector('.fresh-bar')?.textContent ?? '')?.[0] ?? 0);
    if (told !== window.noted.told) {
      window.noted.told = told;
      window.noted.toldAt = now;
    }
  }).observe(document.getElementById('main'), { subtree: true, childList: true, characterData: true });
}

function tell(what, delays) {
  const sorted = [...delays].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  console.log(`${what}: ${sorted.length} alerts, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${sorted.at(-1)} ms`);
}

export async function measureDelay(openVisit, stack) {
  const cases = Array.from({ length: COUNT }, (_, number) => measured(number));
  stack.feed(...cases.map((one) => one.decision));
  await stack.judged();
  const delays = { changedStream: [], changed: [], newStream: [], told: [] };

  const visit = await openVisit({ as: 'manager' });
  const { page } = visit;
  const watch = async (address) => {
    await visit.go(address);
    await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
    await page.evaluate(observe);
    await page.waitForFunction(() => window.noted.open);
  };
  const seen = (what, read, key) => until(WAIT_MS, what, () => page.evaluate(read, key));

  await watch('#/alerts?kind=EVALUATION_DUE&search=DELAY');
  for (const { evaluation } of cases) {
    const { decision } = evaluation.value;
    const began = Date.now();
    stack.feed(evaluation);
    const row = await seen(decision, (name) => window.noted.resolved[name], decision);
    delays.changed.push(row - began);
    const event = await seen(decision, (name) => window.noted.stream[name], `${decision} EVALUATION_DUE`);
    delays.changedStream.push(event - began);
  }

  await visit.go('#/');
  await watch('#/alerts?kind=PERIOD_EXCEEDED&search=DELAY');
  for (const [index, { line }] of cases.entries()) {
    const { decision } = line.value;
    const began = Date.now();
    stack.feed(line);
    const told = await seen(decision, (count) => window.noted.told === count && window.noted.toldAt, index + 1);
    delays.told.push(told - began);
    const event = await seen(decision, (name) => window.noted.stream[name], `${decision} PERIOD_EXCEEDED`);
    delays.newStream.push(event - began);
  }
  await visit.close();

  tell('event to the browser', [...delays.changedStream, ...delays.newStream]);
  tell('event to the changed row of an open list', delays.changed);
  tell('event to the notice of a new alert above an open list', delays.told);
}
