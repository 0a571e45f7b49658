// The demo, from its sign-in link on: what a newcomer does in the first minutes, then every screen of a busy workspace.

import assert from 'node:assert/strict';
import { browserTest } from '../browser.mjs';
import { fitsEverywhere, walk } from '../looks.mjs';
import { asRecipient, openMail, reads, skipAhead, state, timeline, why } from '../people.mjs';

browserTest('enroll, watch the first mail arrive, click, reply, see why it stopped', async ({ page, context }) => {
  // In a second window the sandbox is watched, as it is when the first mail comes.
  const sandbox = await context.newPage();
  await sandbox.goto('/sandbox');
  await page.goto('/contacts');
  await page.getByRole('searchbox').fill('Rosalind Merriweather');
  await page.getByRole('link', { name: 'Rosalind Merriweather' }).click();
  await page.waitForURL('**/contacts/con_*');
  await page.locator('.bar').getByRole('link', { name: 'Enroll' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Sequence').selectOption({ label: 'Backend engineers, Berlin (active)' });
  await dialog.getByRole('button', { name: 'Enroll' }).click();
  // Only a private address is known of her, and the first letter asks for one at work: it says so, and waits for it.
  await page.locator('.card', { hasText: 'Sequences' }).getByText('Blocked: no address for this step').waitFor();

  await page.goto('/contacts');
  await page.getByRole('searchbox').fill('Reuben Montoya');
  await page.getByRole('link', { name: 'Reuben Montoya' }).click();
  await page.waitForURL('**/contacts/con_*');
  await page.locator('.bar').getByRole('link', { name: 'Enroll' }).click();
  await dialog.getByLabel('Sequence').selectOption({ label: 'Backend engineers, Berlin (active)' });
  await dialog.getByRole('button', { name: 'Enroll' }).click();
  await page.locator('.card', { hasText: 'Sequences' }).getByRole('link', { name: 'Backend engineers, Berlin' }).click();
  await reads(timeline(page), 'First letter: sent');

  const address = 'reuben.montoya@quarry-analytics.example';
  await sandbox.getByRole('region', { name: address }).waitFor(); // it appeared by itself
  await sandbox.close();
  await openMail(page, address, /./);
  await asRecipient(page, 'Reply', 'Send the reply');
  await page.getByRole('link', { name: 'the enrollment' }).click();
  await reads(state(page), 'Ended by a rule');
  await reads(timeline(page), 'Replied');
  const answer = await why(page);
  assert.match(answer.led, /^Replied/);
});

browserTest('every screen of a busy workspace', async ({ page }) => {
  for (let days = 0; days < 6; days++) {
    await page.goto('/queue');
    await skipAhead(page, '+1 d');
  }
  await page.goto('/tasks');
  await page.locator('.task-row').first().waitFor();
  await openMail(page, 'naomi.pemberton@lantern-foods.example', /./); // a mail, whose links are long; the newest may be a text
  await fitsEverywhere(page);
  const shapes = await walk(page, '/', (page) => fitsEverywhere(page));
  assert.ok(shapes.size > 20, [...shapes].join(' '));
});
