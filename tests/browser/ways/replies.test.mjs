// The replies inbox: what came in is corrected, handed over and handled by keys, and the enrollment follows.

import assert from 'node:assert/strict';
import { browserTest } from '../browser.mjs';
import { fitsEverywhere } from '../looks.mjs';
import { asRecipient, enroll, gone, openMail, openRecord, reads, state, timeline, why } from '../people.mjs';

const row = (page, who) => page.locator('.reply-row').filter({ hasText: who });
const panel = (page) => page.locator('#panel');

browserTest('a class is corrected by key, and the enrollment follows', async ({ page }) => {
  await enroll(page, 'Letters', 'Wanda Kowalska');
  await openMail(page, 'wanda@aspen.example', 'A team in Berlin');
  await asRecipient(page, 'Reply', 'Send the reply');
  await openRecord(page, 'Letters', 'Wanda Kowalska');
  await reads(state(page), 'Replied');

  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await page.waitForURL('**/replies');
  await reads(page.locator('.nav [aria-current] .count'), /[1-9]/);
  await row(page, 'Wanda Kowalska').getByRole('link').click();
  await reads(panel(page).locator('#reply-text'), 'Can we talk on Thursday?');
  await reads(panel(page).locator('.evidence'), 'reply.default');
  await reads(panel(page).locator('.letters'), 'A team in Berlin');
  await reads(panel(page), 'Person status: In progress');
  await fitsEverywhere(page);

  // It was an automatic answer after all.
  await page.keyboard.press('c');
  const dialog = page.locator('dialog#dialog[open]');
  await reads(dialog, 'What is this message?');
  await page.keyboard.press('3');
  await gone(dialog);
  await reads(page.locator('.toast'), 'The enrollment follows.');
  await reads(panel(page), 'Other automatic mail, said by Ada');
  await reads(panel(page).locator('.badge'), 'Automatic');
  await reads(panel(page).locator('.badge'), 'Waiting');
  await fitsEverywhere(page);

  await openRecord(page, 'Letters', 'Wanda Kowalska');
  await reads(state(page), 'Waiting');
  await reads(timeline(page), 'A classification was corrected');
  await reads(timeline(page), 'the message was no reply');
  assert.deepEqual((await why(page)).shut, ['Delay'], 'it goes on with its next step');

  // And back: what a reply asks is done now.
  await page.goto('/replies?show=all');
  await row(page, 'Wanda Kowalska').getByRole('link').click();
  await page.keyboard.press('c');
  await reads(dialog, 'What is this message?');
  await page.keyboard.press('1');
  await gone(dialog);
  await reads(panel(page).locator('.badge'), 'Replied');
});

browserTest('a reply is handed over, judged and handled by keys', async ({ page }) => {
  await enroll(page, 'Letters', 'Bruno Keller');
  await openMail(page, 'bruno@willow.example', 'A team in Berlin');
  await asRecipient(page, 'Reply', 'Send the reply');
  await page.goto('/replies');
  await row(page, 'Bruno Keller').getByRole('link').click();
  await reads(panel(page).locator('h2'), 'Bruno Keller');

  await page.keyboard.press('h');
  const dialog = page.locator('dialog#dialog[open]');
  await dialog.getByLabel('Who').selectOption({ label: 'Nobody' });
  await dialog.getByRole('button', { name: 'Hand over' }).click();
  await gone(dialog);
  await reads(panel(page), 'Hand over');

  await page.keyboard.press('1');
  await reads(page.locator('.toast'), 'Marked.');
  await reads(panel(page), 'Person status: Success');

  await page.keyboard.press('e');
  await reads(page.locator('.toast'), 'Handled.');
  await gone(row(page, 'Bruno Keller'));
  await page.goto('/replies?show=done');
  await row(page, 'Bruno Keller').waitFor();
});

browserTest('an empty list of replies says what to do', async ({ page }) => {
  await page.goto('/replies?q=nobody-of-that-name');
  await reads(page.locator('.empty'), 'No open message matches');
  await fitsEverywhere(page);
  await page.getByRole('link', { name: 'Look through all' }).click();
  await reads(page.locator('.empty'), 'No message matches');
});
