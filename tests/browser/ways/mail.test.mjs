// What a recipient can do with a mail, and what becomes of the enrollment: seen on its record, in *Why?*, on the contact's page.

import assert from 'node:assert/strict';
import { browserTest } from '../browser.mjs';
import { asRecipient, enroll, fact, openMail, openRecord, openSequence, reads, rowOf, skipAhead, state, task, timeline, why } from '../people.mjs';

const JOB = 'https://jobs.example.com/berlin';

browserTest('a reply stops the sequence, and Why? says so', async ({ page }) => {
  await enroll(page, 'Letters', 'Rosa Lindgren');
  await openMail(page, 'rosa@fjord.example', 'A team in Berlin');
  await page.frameLocator('.mail-frame').getByText('Hi Rosa,').waitFor();
  await asRecipient(page, `Click “${JOB}”`);

  await openRecord(page, 'Letters', 'Rosa Lindgren');
  await reads(timeline(page), 'Clicked');
  await reads(timeline(page), 'First letter: sent');
  await reads(page.locator('.timeline .planned'), 'Reminder');
  await reads(state(page), 'Waiting');
  const waiting = await why(page);
  assert.match(waiting.sentence, /^The step is due /);
  assert.deepEqual(waiting.shut, ['Delay']);

  await openMail(page, 'rosa@fjord.example', 'A team in Berlin');
  await asRecipient(page, 'Reply', 'Send the reply');
  await openRecord(page, 'Letters', 'Rosa Lindgren');
  await reads(state(page), 'Replied');
  await reads(timeline(page), 'Replied');
  await reads(timeline(page), 'Reminder: cancelled');
  assert.equal(await page.locator('.timeline .planned').count(), 0, 'nothing is planned any more');
  await reads(fact(page, 'Status reason'), 'Replied');
  const stopped = await why(page);
  assert.equal(stopped.sentence, 'It is finished: replied.');
  assert.match(stopped.led, /^Replied/);
});

browserTest('an out-of-office notice holds it until it is resumed', async ({ page }) => {
  await enroll(page, 'Letters', 'Milan Novak');
  await openMail(page, 'milan@vltava.example', 'A team in Berlin');
  await asRecipient(page, 'Out of office', 'Send the notice');

  await openRecord(page, 'Letters', 'Milan Novak');
  await reads(state(page), 'Paused: out of office');
  await reads(timeline(page), 'Out of office');
  await reads(fact(page, 'Status reason'), 'Out of Office Reply');
  await reads(page.locator('.timeline .planned'), 'Reminder');
  const held = await why(page);
  assert.match(held.sentence, /^Out of office/);
  assert.deepEqual(held.shut.slice(0, 1), ['Pauses']);
  assert.match(held.led, /^Out of office/);

  await page.locator('.bar').getByRole('button', { name: 'Resume' }).click();
  await reads(state(page), 'Waiting');
  await reads(timeline(page), 'Resumed');
  assert.deepEqual((await why(page)).shut, ['Delay']);
});

browserTest('a bounce ends it and suppresses the address', async ({ page }) => {
  await enroll(page, 'Letters', 'Grace Okoro');
  await openMail(page, 'grace@lagoon.example', 'A team in Berlin');
  await asRecipient(page, 'Bounce');

  await openRecord(page, 'Letters', 'Grace Okoro');
  await reads(state(page), 'Bounced');
  await reads(timeline(page), 'Bounced');
  await reads(timeline(page), 'Reminder: cancelled');
  await reads(fact(page, 'Stage'), 'Bounced');
  const ended = await why(page);
  assert.equal(ended.sentence, 'It is finished: bounced.');
  assert.match(ended.led, /^Bounced/);

  await page.getByRole('link', { name: 'Grace Okoro' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Grace Okoro' }).waitFor();
  await reads(page.locator('.bar .badge'), 'Bounced');
});

browserTest('who unsubscribes gets nothing more, and cannot be enrolled again', async ({ page, expectRefusal }) => {
  await enroll(page, 'Letters', 'Pavel Sokol');
  await openMail(page, 'pavel@ridge.example', 'A team in Berlin');
  await asRecipient(page, /^Unsubscribe$/);

  await openRecord(page, 'Letters', 'Pavel Sokol');
  await reads(state(page), 'Opted out');
  await reads(timeline(page), 'Opted out');
  await reads(timeline(page), 'Reminder: cancelled');
  await reads(fact(page, 'Person status'), 'Unsubscribed');
  const ended = await why(page);
  assert.match(ended.sentence, /^It is finished: opted out/);
  assert.match(ended.led, /^Opted out/);

  // By hand, from the contact's own page, even "again": refused in words, over the dialog, which stays.
  await page.getByRole('link', { name: 'Pavel Sokol' }).first().click();
  await page.waitForURL('**/contacts/*');
  await page.locator('.bar').getByRole('link', { name: 'Enroll' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Sequence').selectOption({ label: 'Branches (active)' });
  await dialog.getByRole('checkbox').check();
  expectRefusal(409);
  await dialog.getByRole('button', { name: 'Enroll' }).click();
  await reads(page.locator('.toast'), 'Nobody was enrolled');
  assert.ok(await dialog.isVisible(), 'the dialog waits for another choice');
});

browserTest('a click takes the other branch, silence the next step', async ({ page }) => {
  await enroll(page, 'Branches', 'Ines Moreau');
  await enroll(page, 'Branches', 'Tomas Berg');
  await openMail(page, 'ines@atelier.example', 'An offer');
  await asRecipient(page, 'Click “https://jobs.example.com/offer”');

  await openRecord(page, 'Branches', 'Ines Moreau');
  await reads(fact(page, 'Branch'), 'Interested');
  await reads(timeline(page), 'Clicked');
  await reads(state(page), 'Due');
  await reads(page.locator('.flow .card.here .name'), 'Prepare the talk');
  await page.locator('.flow .line.taken').first().waitFor();
  const open = await why(page);
  assert.equal(open.sentence, 'The task is open and waits for a person.');

  await page.goto('/tasks');
  await task(page, 'Ines Moreau').getByText('Prepare the talk').waitFor();

  // Who does nothing goes on in the main branch once the two days of the conditions are over.
  await openRecord(page, 'Branches', 'Tomas Berg');
  await reads(fact(page, 'Branch'), 'Main');
  await skipAhead(page, '+1 d');
  await skipAhead(page, '+1 d');
  await skipAhead(page, '+1 d');
  await reads(timeline(page), 'Asking again: sent');
  await openMail(page, 'tomas@harbor.example', 'Re: An offer');
});

browserTest('a sequence that is paused sends nothing, and says that it is', async ({ page }) => {
  await openSequence(page, 'Branches');
  await page.locator('.bar').getByRole('button', { name: 'Pause' }).click();
  await reads(page.locator('.bar .badge'), 'Paused');
  await enroll(page, 'Branches', 'Kofi Mensah');
  await reads(rowOf(page, 'Kofi Mensah').locator('.badge'), 'Pending: waits for its sequence');
  await openRecord(page, 'Branches', 'Kofi Mensah');
  const waits = await why(page);
  assert.match(waits.sentence, /^The sequence is paused/);
  await openSequence(page, 'Branches');
  await page.locator('.bar').getByRole('button', { name: 'Resume' }).click();
  await openMail(page, 'kofi@palm.example', 'An offer');
});
