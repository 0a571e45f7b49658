// A workspace in which nothing is yet, and everything that is refused: no screen is blank, none leads nowhere.

import assert from 'node:assert/strict';
import { browserTest } from '../browser.mjs';
import { fitsEverywhere, walk } from '../looks.mjs';
import { reads } from '../people.mjs';

const NOBODY = { signedIn: false };

browserTest('every empty screen says what is missing', async ({ page }) => {
  const shapes = await walk(page, '/', async (page, path) => {
    await fitsEverywhere(page);
    const words = await page.locator('#page').innerText();
    assert.ok(words.trim().split(/\s+/).length > 5, `${path} explains itself: ${words}`);
    assert.equal(await page.locator('tbody:empty').count(), 0, `${path} shows a table without rows`);
  });
  for (const place of ['/queue', '/overview', '/enrollments', '/contacts', '/lists', '/templates', '/sandbox', '/settings/me']) {
    assert.ok(shapes.has(place), `${place} is reached by links`);
  }
  await page.goto('/tasks');
  await reads(page.locator('.empty'), 'Nothing to do yet');
});

browserTest('what is not there says so, and leads back', async ({ page, expectRefusal }) => {
  expectRefusal(404);
  const missing = ['/nowhere', '/contacts/con_nobody', '/enrollments/x', '/enrollments/enr_0000000000000/why', '/sequences/seq_0000000000000', '/templates/tpl_0000000000000', '/lists/x', '/sandbox/x/body'];
  for (const path of missing) {
    await page.goto(path);
    await fitsEverywhere(page);
    await page.getByRole('link', { name: 'Go to the start' }).click();
    await page.getByRole('heading', { level: 1, name: 'Tasks' }).waitFor();
  }
});

browserTest('who may only look is offered no more, and refused in words', async ({ page, expectRefusal }) => {
  await page.goto('/contacts');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await fitsEverywhere(page);
  expectRefusal(401);
  await signIn(page, 'vera@northwind.example', 'not it at all');
  await reads(page.getByRole('alert'), 'do not belong together');
  await fitsEverywhere(page);
  await signIn(page, 'vera@northwind.example', 'correct horse battery staple');
  await page.getByRole('heading', { level: 1, name: 'Contacts' }).waitFor();
  await walk(page, '/queue', (page) => fitsEverywhere(page));
  assert.equal(await page.getByText('Sandbox clock').count(), 0, 'the clock is not theirs to move');
  expectRefusal(403);
  await page.goto('/contacts/enroll');
  await fitsEverywhere(page);
  await page.getByRole('link', { name: 'Go to the start' }).waitFor();
}, NOBODY);

async function signIn(page, address, password) {
  await page.getByLabel('Email address').fill(address);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
