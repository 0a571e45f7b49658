// What every browser test begins with: a page in a fresh profile of Debian's Chromium, signed in.
//
//   import { browserTest } from './browser.mjs';
//   browserTest('a task is marked by key', async ({ page, baseURL }) => { … });
//
// Besides its own assertions a test fails when a page threw an error, wrote one to the console, broke its own content
// security policy, asked any other host for anything, or when something that a page asked for failed. What a test means to
// be refused it names first: `expectRefusal(404)`. On failure a picture is taken and the page's words are printed.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { chromium } from 'playwright-core';

const { BASE_URL, SIGN_IN_URL, SCREENSHOTS, SESSION } = process.env;

/** Of whoever signs in by SIGN_IN_URL, where that link asks for a password to be chosen. */
export const PASSWORD = 'a harbour full of paper boats';

// No sandbox, since that does not start as root; the others keep Chromium from talking to its makers.
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let started; // one browser a file, a profile of its own for each test
const browser = () => (started ??= chromium.launch({ executablePath: '/usr/bin/chromium', args: flags }));
after(async () => (await started)?.close());

// The link works once; what was signed in with lasts for all tests, in this file and those after it.
const session = () => (SESSION && existsSync(SESSION) ? SESSION : undefined);

/**
 * A test in a browser. `options` are those of a Playwright context: `{ colorScheme: 'dark' }`, `{ javaScriptEnabled: false }`;
 * and `{ signedIn: false }` for a stranger.
 */
export function browserTest(name, body, { signedIn = true, ...options } = {}) {
  test(name, { timeout: 60_000 }, async () => {
    const context = await (await browser()).newContext({
      baseURL: BASE_URL,
      viewport: { width: 1280, height: 800 },
      storageState: signedIn ? session() : undefined,
      ...options,
    });
    context.setDefaultTimeout(15_000);
    const complaints = new Complaints();
    complaints.listenTo(context);
    const page = await context.newPage();
    try {
      if (SIGN_IN_URL && signedIn && !session()) {
        await signIn(page);
        if (SESSION) await context.storageState({ path: SESSION });
      }
      await body({ page, context, baseURL: BASE_URL, expectRefusal: (status) => complaints.expected.add(status) });
      assert.equal(complaints.list.length, 0, 'the page looked well but complained');
    } catch (error) {
      await picture(page, name);
      if (complaints.list.length === 0) throw error;
      throw new Error(`${error.message}\nthe page complained:\n  ${complaints.list.join('\n  ')}`, { cause: error });
    } finally {
      await context.close();
    }
  });
}

/** Follows the link; a page that then asks to go on, or for a password to be chosen, is answered. */
async function signIn(page) {
  await page.goto(SIGN_IN_URL);
  const form = page.locator('form[action="/sign-in/link"]');
  if ((await form.count()) === 0) return;
  const password = form.locator('input[name="password"]');
  if (await password.count()) await password.fill(PASSWORD);
  await form.getByRole('button').click();
  await form.waitFor({ state: 'detached' });
}

/** What went wrong beside what a test looks at. */
class Complaints {
  list = [];
  expected = new Set();

  listenTo(context) {
    const origin = new URL(BASE_URL).origin;
    const add = (text) => this.list.push(text);
    context.on('weberror', (error) => add(`threw: ${error.error().message}`));
    context.on('console', (message) => {
      // The browser tells of a refusal here too, which the answer below has told.
      const refusal = /^Failed to load resource: the server responded with a status of (\d+)/.exec(message.text());
      if (message.type() === 'error' && !refusal) add(`console: ${message.text()}`);
    });
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith('http') && url.origin !== origin) add(`asked another host: ${url.href}`);
    });
    context.on('response', (response) => {
      const status = response.status();
      if (status >= 400 && !this.expected.has(status)) add(`answered ${status}: ${response.url()}`);
    });
    context.on('requestfailed', (request) => {
      // What a page gives up when it is left, or asks anew, is no failure.
      const why = request.failure()?.errorText ?? '';
      if (why !== 'net::ERR_ABORTED') add(`failed: ${request.url()} ${why}`);
    });
  }
}

async function picture(page, name) {
  if (!SCREENSHOTS) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  const file = path.join(SCREENSHOTS, `${name.replace(/[^\p{L}\p{N}]+/gu, '-')}.png`);
  await page.screenshot({ path: file, fullPage: true }).then(
    () => console.error(`the page as it was: ${file}`),
    (error) => console.error(`no picture of the page: ${error.message}`),
  );
  const words = await page.evaluate(() => document.body.innerText).catch((error) => `(no words: ${error.message})`);
  console.error(`${page.url()}\n${words.replace(/\n{2,}/g, '\n').replace(/^/gm, '  | ')}`);
}
