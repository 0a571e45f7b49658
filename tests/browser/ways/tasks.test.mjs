// The work that people do: a call, a task, by mouse, by keys alone, on a phone, and without scripts.

import assert from 'node:assert/strict';
import { browserTest } from '../browser.mjs';
import { enroll, fact, gone, openMail, openRecord, openSequence, reads, rowOf, skipAhead, state, task, timeline, why } from '../people.mjs';
import { fitsEverywhere, PHONE } from '../looks.mjs';

const panel = (page) => page.locator('#panel');
const opened = (page, who) => panel(page).getByRole('heading', { level: 2, name: who });
const mark = (page, outcome) => panel(page).getByRole('button', { name: outcome });

browserTest('nobody answers a call: it goes on to a task, which ends it', async ({ page }) => {
  await enroll(page, 'Calls', 'Nadia Haddad');
  await page.goto('/tasks');
  await task(page, 'Nadia Haddad').getByRole('link').click();
  await opened(page, 'Nadia Haddad').waitFor();
  await reads(panel(page), 'Ask what would have to be true for a change.');
  await reads(panel(page), 'Good morning, this is Ada Byron.');
  assert.equal(await panel(page).locator('[data-key="c"]').getAttribute('href'), 'tel:+493023125107');
  await panel(page).getByRole('textbox', { name: 'Note' }).fill('Her line was busy');
  await mark(page, 'No Answer').click();
  await gone(task(page, 'Nadia Haddad'));

  await openRecord(page, 'Calls', 'Nadia Haddad');
  await reads(timeline(page), 'First call: no answer');
  await reads(page.locator('.timeline .planned'), 'Look for a referral');
  await reads(state(page), 'Waiting');
  assert.match((await why(page)).sentence, /^The step is due /);
  await page.locator('.facts').getByRole('link', { name: 'Nadia Haddad' }).click();
  await reads(timeline(page), 'Her line was busy');
  await reads(timeline(page), 'No Answer');

  await skipAhead(page, '+1 d');
  await page.goto('/tasks');
  await task(page, 'Nadia Haddad').getByText('Look for a referral').click();
  await reads(panel(page), 'Somebody in common makes it easier.');
  await mark(page, 'Positive').click();
  await gone(task(page, 'Nadia Haddad'));
  await openRecord(page, 'Calls', 'Nadia Haddad');
  await reads(fact(page, 'Stage'), 'Success');
  await reads(timeline(page), 'Look for a referral: positive');
});

browserTest('an interested contact ends it as a success', async ({ page }) => {
  await enroll(page, 'Calls', 'Oskar Lind');
  await page.goto('/tasks');
  await task(page, 'Oskar Lind').getByRole('link').click();
  await opened(page, 'Oskar Lind').waitFor();
  await mark(page, /^Interested/).click();
  await gone(task(page, 'Oskar Lind'));

  await openRecord(page, 'Calls', 'Oskar Lind');
  await reads(timeline(page), 'First call: interested');
  await reads(fact(page, 'Person status'), 'Success');
  const ended = await why(page);
  assert.match(ended.sentence, /^It is finished: /);
  assert.match(ended.led, /^First call: interested/);
});

browserTest('what is missing is filled in where it is missed, and the mail goes out', async ({ page, expectRefusal }) => {
  await enroll(page, 'Letters', 'Petra Klein');
  await page.goto('/tasks');
  await task(page, 'Petra Klein').getByText('First letter').click();
  await reads(panel(page), 'No address for this step');
  expectRefusal(422);
  await panel(page).getByLabel('Work email address').fill('petra at quill');
  await mark(page, 'Retry').click();
  await reads(page.locator('.toast'), 'petra at quill');
  await panel(page).getByLabel('Work email address').fill('petra@quill.example');
  await mark(page, 'Retry').click();
  await gone(task(page, 'Petra Klein'));
  await openMail(page, 'petra@quill.example', 'A team in Berlin');
});

browserTest('a recruiter never touches the mouse', async ({ page }) => {
  for (const who of ['Yara Santos', 'Hugo Weiss', 'Lena Fischer']) await enroll(page, 'Calls', who);
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const current = page.locator('.task-row[aria-selected="true"]');
  const heading = () => panel(page).locator('h2').innerText();

  await goTo(page, 'q', 'Queue');
  await goTo(page, 't', 'Tasks');
  await panel(page).waitFor();

  // Down to the end of the list and up again, by letters and by arrows; the panel follows.
  const rows = await page.locator('.task-row').count();
  assert.ok(rows >= 3, `${rows} tasks`);
  const first = await heading();
  await press('j');
  await page.waitForFunction((name) => document.querySelector('#panel h2')?.innerText !== name, first);
  await press('ArrowUp');
  await opened(page, first).waitFor();
  await toTask(page, press, 'Hugo Weiss');

  await press('w');
  await reads(page.locator('.why-answer'), 'The task is open and waits for a person.');
  await press('Escape');
  await gone(page.locator('dialog#dialog'));

  await press('n');
  const words = page.getByRole('dialog').getByLabel('Words');
  await words.waitFor();
  await page.keyboard.type('Prefers the late afternoon');
  await press('Control+Enter');
  await gone(page.getByRole('dialog'));
  await toTask(page, press, 'Hugo Weiss');
  await reads(page.locator('label[for="tab-notes"]'), '1');

  // *Mark as*: `e` leads to the outcomes, Enter takes the one that is focused; a digit takes its own at once.
  await press('e');
  await page.locator('button[name="outcome"]:focus').waitFor();
  await press('Enter');
  await gone(task(page, 'Hugo Weiss'));
  await panel(page).waitFor(); // the next one opens by itself
  assert.equal(await current.count(), 1);
  await toTask(page, press, 'Yara Santos');
  await press('3');
  await gone(task(page, 'Yara Santos'));
  await toTask(page, press, 'Lena Fischer');
  await press('4');
  await gone(task(page, 'Lena Fischer'));

  await openRecord(page, 'Calls', 'Hugo Weiss');
  await reads(timeline(page), 'First call: no answer');
  await openRecord(page, 'Calls', 'Yara Santos');
  await reads(timeline(page), 'First call: interested');
  await openRecord(page, 'Calls', 'Lena Fischer');
  await reads(timeline(page), 'First call: not interested');
});

browserTest('without scripts everything is a page of its own', async ({ page }) => {
  await openSequence(page, 'Calls');
  await page.locator('.bar').getByRole('link', { name: 'Enroll' }).click();
  await page.getByLabel('Kofi Mensah').check();
  await page.getByRole('button', { name: 'Enroll' }).click();
  await rowOf(page, 'Kofi Mensah').waitFor();
  await page.goto('/tasks');
  while ((await task(page, 'Kofi Mensah').count()) === 0) await page.reload(); // nothing appears by itself
  await task(page, 'Kofi Mensah').getByRole('link').click();
  await opened(page, 'Kofi Mensah').waitFor();
  await panel(page).getByRole('link', { name: 'Why?' }).click();
  await reads(page.locator('.why-answer'), 'The task is open and waits for a person.');
  await page.goBack();
  await mark(page, 'Left Voicemail').click();
  await gone(task(page, 'Kofi Mensah'));
  await openRecord(page, 'Calls', 'Kofi Mensah');
  await reads(timeline(page), 'First call: left voicemail');
}, { javaScriptEnabled: false });

browserTest('on a phone the list and the task take turns', async ({ page }) => {
  await enroll(page, 'Calls', 'Milan Novak');
  await enroll(page, 'Calls', 'Ines Moreau');
  await page.goto('/tasks');
  await task(page, 'Milan Novak').getByRole('link').click();
  await opened(page, 'Milan Novak').waitFor();
  assert.ok(await task(page, 'Ines Moreau').first().isHidden(), 'the task has the screen for itself');
  await page.getByRole('link', { name: 'All tasks' }).click();
  await task(page, 'Milan Novak').getByRole('link').click();
  await fitsEverywhere(page);
  await page.setViewportSize(PHONE);
  await mark(page, 'No Answer').click();
  await gone(opened(page, 'Milan Novak'));
  await panel(page).waitFor(); // the next one opens here too
}, { viewport: PHONE });

/** Presses `g` and a key; once more where this machine was too slow for the two to belong together. */
async function goTo(page, key, place) {
  const heading = page.getByRole('heading', { level: 1, name: place });
  for (let patience = 3; ; patience--) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    const arrived = await heading.waitFor({ timeout: 5_000 }).then(() => true, () => false);
    if (arrived) return;
    assert.ok(patience > 0, `no way to ${place} by keys`);
  }
}

/** Goes down the list, and up again, until that task is open. */
async function toTask(page, press, who) {
  const names = await page.locator('.task-row b').allInnerTexts();
  assert.ok(names.includes(who), `${who} has a task: ${names}`);
  const at = async () => names.indexOf(await page.locator('.task-row[aria-selected="true"] b').innerText());
  for (let now = await at(); names[now] !== who; now = await at()) {
    await press(now < names.indexOf(who) ? 'j' : 'k');
    await page.waitForFunction((was) => document.querySelector('.task-row[aria-selected="true"] b')?.innerText !== was, names[now]);
  }
  await opened(page, who).waitFor();
}
