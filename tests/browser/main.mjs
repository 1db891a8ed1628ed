/*
 * The page of `urenwacht serve`, in a real browser on real servers; see README.md here.
 *
 *   main.mjs test            the tests; UW_TESTS is a regular expression on their names
 *   main.mjs screenshots     pictures of every page, in the folder UW_PICTURES
 *   main.mjs delay           from an event to its alert in an open page, for 50 alerts
 */
import { mkdirSync } from 'node:fs';
import { modules } from './modules.mjs';
import { runTests } from './runner.mjs';
import { Stack } from './stack.mjs';
import { Visit } from './visit.mjs';

const { chromium } = modules('playwright-core');

const { UW_WORK, UW_PICTURES, UW_TESTS, UW_LANES } = process.env;
const what = process.argv[2] ?? 'test';
let browser = null;
let stack = null;

async function close() {
  await browser?.close();
  await stack?.close();
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    close().finally(() => process.exit(130));
  });
}

async function launch() {
  return chromium.launch({
    executablePath: process.env.UW_CHROMIUM,
    // Names lead nowhere: a page that asks another host cannot succeed, and the guard tells that it tried.
    args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', '--font-render-hinting=none', '--disable-gpu'],
  });
}

let status = 0;
try {
  const began = Date.now();
  mkdirSync(UW_PICTURES, { recursive: true });
  stack = new Stack(UW_WORK);
  [browser] = await Promise.all([launch(), stack.open()]);
  console.log(`${stack.fed} events processed, Chromium ${browser.version()}; ${((Date.now() - began) / 1000).toFixed(1)} s`);
  const openVisit = (options) => Visit.open(browser, stack, options);
  if (what === 'screenshots') {
    await (await import('./screenshots.mjs')).takeScreenshots(openVisit, UW_PICTURES);
  } else if (what === 'delay') {
    await (await import('./delay.mjs')).measureDelay(openVisit, stack);
  } else {
    await import('./tests.mjs');
    const counts = await runTests({
      openVisit,
      folder: `${UW_PICTURES}/failures`,
      lanes: Number(UW_LANES ?? 2),
      only: UW_TESTS ? new RegExp(UW_TESTS) : null,
    });
    status = counts.failed > 0 ? 1 : 0;
    await close();
    console.log(`${counts.passed} passed, ${counts.failed} failed`);
  }
} catch (error) {
  console.error(error);
  for (const child of stack?.processes ?? []) {
    console.error(`-- ${child.name}\n${stack.log(child.name).slice(-1500)}`);
  }
  status = 2;
} finally {
  await close().catch(() => undefined);
}
process.exit(status);
