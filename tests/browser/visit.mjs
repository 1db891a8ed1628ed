/*
 * Somebody at the page: a browser context that is logged in, and what is watched in every test, whatever it is about:
 * no error in the console, nothing refused by the Content-Security-Policy, no request to another host.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';

const WAIT_MS = 120_000;

export const desktop = { viewport: { width: 1280, height: 900 } };
export const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

/* What the browser says of its own accord about an answer that the page asked for and deals with. */
const refusedAnswer = (status) => new RegExp(`Failed to load resource: the server responded with a status of ${status}`);

class Guard {
  constructor(origin) {
    this.origin = origin;
    this.findings = [];
    this.allowed = [];
  }

  note(text) {
    if (!this.allowed.some((pattern) => pattern.test(text))) {
      this.findings.push(text);
    }
  }

  watch(page) {
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) {
        this.note(`console: ${message.text()} (${message.location().url})`);
      }
    });
    page.on('pageerror', (error) => this.note(`uncaught: ${error.message}`));
    page.on('request', (request) => {
      const url = request.url();
      if (!/^(data|blob|about):/.test(url) && new URL(url).origin !== this.origin) {
        this.note(`request to another host: ${url}`);
      }
    });
  }
}

export class Visit {
  /* `options`: as, screen (desktop), theme ("light", "dark"), language ("nl", "en"), statuses that may be answered. */
  static async open(browser, stack, options) {
    const visit = new Visit();
    visit.stack = stack;
    visit.guard = new Guard(stack.origin);
    visit.context = await browser.newContext({
      ...(options.screen ?? desktop),
      baseURL: stack.origin,
      locale: 'nl-NL',
      timezoneId: 'Europe/Amsterdam',
      colorScheme: options.theme ?? 'light',
      reducedMotion: 'reduce',
      acceptDownloads: true,
    });
    visit.context.setDefaultTimeout(WAIT_MS);
    for (const status of options.statuses ?? []) {
      visit.guard.allowed.push(refusedAnswer(status));
    }
    await visit.context.addInitScript((language) => {
      try {
        window.localStorage.setItem('urenwacht.language', window.localStorage.getItem('urenwacht.language') ?? language);
      } catch {
        // about:blank keeps nothing.
      }
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
      });
      // A message goes by itself; what was said is kept for whoever comes to look later.
      window.said = [];
      new MutationObserver((changes) => {
        for (const node of changes.flatMap((change) => [...change.addedNodes])) {
          if (node instanceof Element && node.matches('.toast')) {
            window.said.push(node.textContent);
          }
        }
      }).observe(document, { subtree: true, childList: true });
    }, options.language ?? 'nl');
    if (options.as !== null && options.as !== undefined) {
      await visit.enter(options.as);
    }
    visit.page = await visit.context.newPage();
    visit.guard.watch(visit.page);
    return visit;
  }

  /* Logs in beside the page, as the form does. */
  async enter(person) {
    const token = this.stack.tokens[person];
    assert.ok(token, `nobody is called ${person}`);
    const answer = await this.context.request.post('/api/v1/session', { data: { token } });
    assert.equal(answer.status(), 200, 'logging in');
    this.session = await answer.json();
  }

  /* Asks the API with the page's cookie. */
  async ask(path) {
    const answer = await this.context.request.get(`/api/v1/${path}`);
    assert.equal(answer.status(), 200, path);
    return answer.json();
  }

  /* Opens an address of the page, and waits until it has loaded what it shows. */
  async go(address) {
    // From elsewhere: where only what is behind the # changes, nothing is loaded, and what stood there before would be taken
    // for the settled page.
    await this.page.goto('about:blank');
    await this.page.goto(`${this.stack.origin}/${address}`);
    await this.settled();
  }

  async settled() {
    await this.page.getByRole('heading', { level: 1 }).waitFor();
    await this.page.waitForFunction(() => {
      const main = document.getElementById('main');
      return main !== null && main.querySelector('.loading, [aria-busy="true"]') === null;
    });
  }

  async visible(locator) {
    await locator.first().waitFor({ state: 'visible' });
    return locator.first();
  }

  async gone(locator) {
    await locator.waitFor({ state: 'detached' });
  }

  async heading(name) {
    await this.page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
    await this.settled();
  }

  /* A picture of what is seen, for people; kept as output of the build. */
  async picture(name, folder = process.env.UW_PICTURES) {
    await this.page.mouse.move(0, 0);
    const { width, height } = this.page.viewportSize();
    const debug = await this.context.newCDPSession(this.page);
    const { data } = await debug.send('Page.captureScreenshot', {
      format: 'webp',
      quality: 82,
      clip: { x: 0, y: 0, width, height, scale: 1 },
    });
    await debug.detach();
    await writeFile(`${folder}/${name}.webp`, Buffer.from(data, 'base64'));
  }

  /* Waits until the page has said so in a message, since it was loaded. */
  async said(text) {
    const { source, flags } = text instanceof RegExp ? text : { source: text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), flags: '' };
    await this.page.waitForFunction(
      (pattern) => window.said.some((message) => new RegExp(...pattern).test(message)),
      [source, flags],
    );
  }

  /* Fails when something was noted that no test may do. */
  verdict() {
    assert.deepEqual(this.guard.findings, [], 'nothing is to be noted');
  }

  async close() {
    await this.context.close();
  }
}
