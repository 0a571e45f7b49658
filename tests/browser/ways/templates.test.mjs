// A flow that is used again: a template made of a sequence, looked at, activated into another sequence.

import assert from 'node:assert/strict';
import { browserTest } from '../browser.mjs';
import { gone, openSequence, reads, rowOf, state } from '../people.mjs';
import { fitsEverywhere } from '../looks.mjs';

browserTest('a sequence is used as a template, and activated under another name', async ({ page, expectRefusal }) => {
  await openSequence(page, 'Letters');
  await page.keyboard.press('.');
  await page.getByRole('link', { name: 'Use as template…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Two letters');
  await dialog.getByRole('button', { name: 'Make' }).click();
  await page.getByRole('heading', { level: 1, name: 'Two letters' }).waitFor();
  await reads(page.locator('.flow-frame'), 'First letter');
  await fitsEverywhere(page);

  // In the list, which is where a person looks for it.
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await page.getByRole('heading', { level: 1, name: 'Templates' }).waitFor();
  await rowOf(page, 'Two letters').waitFor();
  await fitsEverywhere(page);
  await page.waitForLoadState();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Two letters' }).waitFor();
  await page.waitForLoadState();
  await page.keyboard.press('c');

  // What is missing is said at its field, and nothing is lost of what was typed.
  await page.getByRole('heading', { level: 1, name: 'Activate' }).waitFor();
  await page.waitForLoadState();
  await fitsEverywhere(page);
  const activate = page.getByRole('button', { name: 'Activate' });
  await page.getByLabel('Description').fill('For the autumn fair');
  expectRefusal(422);
  await activate.click();
  await reads(page.getByRole('alert'), 'Say its name');
  await fitsEverywhere(page);
  assert.equal(await page.getByLabel('Description').inputValue(), 'For the autumn fair');

  // Another primary user brings the question of the senders; back again it is gone.
  await page.getByLabel('Name', { exact: false }).first().fill('Autumn fair');
  await page.getByLabel('Primary user').selectOption({ label: 'Vera Vogel' });
  await reads(page.getByRole('status'), 'Vera Vogel is the primary user now');
  await page.getByLabel("Every step writes from Vera Vogel's mailbox").waitFor();
  await fitsEverywhere(page);
  await page.getByLabel('Primary user').selectOption({ label: 'Ada Byron' });
  await gone(page.getByLabel("Every step writes from Vera Vogel's mailbox"));
  await activate.click();
  await page.getByRole('heading', { level: 1, name: 'Autumn fair' }).waitFor();
  await reads(state(page), 'Active');

  await page.goto('/templates');
  await page.getByRole('link', { name: 'Two letters' }).click();
  await rowOf(page, 'Autumn fair').getByRole('link').click();
  await page.getByRole('heading', { level: 1, name: 'Autumn fair' }).waitFor();
});
