/*
 * The tests of the page: named, each with a deadline and a browser context of its own, a few side by side.
 * A test that fails leaves a picture of what it saw.
 */
import { mkdirSync } from 'node:fs';

const TEST_MS = 480_000;
const tests = [];

/*
 * `options.as` is a name of people.mjs, or null for somebody who has not logged in; the rest goes to Visit.open.
 * `body` gets the visit.
 */
export function test(name, options, body) {
  tests.push({ name, options, body });
}

/* Ends with what `promise` gives, or fails after `ms`. */
export async function within(ms, what, promise) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not done after ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

async function runOne(one, openVisit, folder) {
  const began = Date.now();
  const seconds = () => ((Date.now() - began) / 1000).toFixed(1);
  let visit = null;
  try {
    visit = await within(TEST_MS, 'opening', openVisit(one.options));
    await within(TEST_MS, 'the test', one.body(visit));
    visit.verdict();
    console.log(`passed ${one.name} (${seconds()} s)`);
    return true;
  } catch (error) {
    const text = error instanceof Error ? (process.env.UW_TRACE ? error.stack : error.message) : String(error);
    const lines = text.split('\n').slice(0, 14).join('\n    ');
    console.log(`FAILED ${one.name} (${seconds()} s)\n    ${lines}`);
    if (visit !== null) {
      const file = `${folder}/${one.name.replace(/[^a-z0-9]+/gi, '-')}.png`;
      await within(10_000, 'the picture', visit.page.screenshot({ path: file })).then(
        () => console.log(`    ${visit.page.url()}, seen in ${file}`),
        () => undefined,
      );
      const errors = visit.guard.findings;
      if (errors.length > 0) {
        console.log(`    ${errors.slice(0, 5).join('\n    ')}`);
      }
    }
    return false;
  } finally {
    await visit?.close().catch(() => undefined);
  }
}

/* Runs the tests whose names match `only`, `lanes` at a time; gives how many passed and failed. */
export async function runTests({ openVisit, folder, lanes, only }) {
  mkdirSync(folder, { recursive: true });
  const left = tests.filter((one) => only === null || only.test(one.name));
  const counts = { passed: 0, failed: 0 };
  const lane = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) {
      counts[(await runOne(one, openVisit, folder)) ? 'passed' : 'failed']++;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return counts;
}
