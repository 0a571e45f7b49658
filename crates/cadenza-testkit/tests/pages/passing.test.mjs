// Proves the runner on a page that `tests/it/browser.rs` serves.

import assert from 'node:assert/strict';
import { browserTest } from '../../../../tests/browser/browser.mjs';

browserTest('a page signed in to is seen, typed into and clicked', async ({ page }) => {
  await page.goto('/');
  assert.equal(await page.textContent('h1'), 'Signed in');
  await page.fill('input', 'Grüße');
  await page.click('button');
  assert.equal(await page.textContent('output'), 'Grüße!');
});

browserTest('forms work where scripts do not', async ({ page }) => {
  await page.goto('/');
  await page.click('button');
  assert.equal(await page.textContent('output'), '');
}, { javaScriptEnabled: false });
