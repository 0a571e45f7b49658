// Each of these has to fail: `tests/it/browser.rs` sees to it that they do, and that a picture is left.

import assert from 'node:assert/strict';
import { browserTest } from '../../../../tests/browser/browser.mjs';

browserTest('wrong heading', async ({ page }) => {
  await page.goto('/');
  assert.equal(await page.textContent('h1'), 'Something else');
});

browserTest('page throws', async ({ page }) => {
  await page.goto('/throws');
  await page.waitForSelector('#after');
});

browserTest('page asks another host', async ({ page, baseURL }) => {
  await page.goto('/');
  await page.evaluate((url) => fetch(url).catch(() => {}), baseURL.replace('127.0.0.1', 'localhost'));
});
