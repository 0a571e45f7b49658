// What people do in the product, in their own words: a recruiter who enrolls and looks, and the recipient whom the sandbox lets
// one play. Everything by clicks and keys; every wait is for something to be seen.

import assert from 'node:assert/strict';

/** Waits until `text` can be read there; a page shows by itself what happens. */
export const reads = (locator, text) => locator.filter({ hasText: text }).first().waitFor();

export const gone = (locator) => locator.first().waitFor({ state: 'hidden' });

/** Enrolls somebody from the sequence's own page, and waits until they are shown in it. */
export async function enroll(page, sequence, who) {
  await openSequence(page, sequence);
  const place = page.url();
  await page.locator('.bar').getByRole('link', { name: 'Enroll' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('searchbox').fill(who);
  const found = dialog.locator('#choices li');
  await found.filter({ hasNotText: who }).first().waitFor({ state: 'detached' }); // the search has been answered
  assert.equal(page.url(), place, 'a search in a dialog is no place to come back to');
  await found.getByText(who).click();
  await dialog.getByRole('button', { name: 'Enroll' }).click();
  await rowOf(page, who).waitFor();
  await gone(dialog);
}

export async function openSequence(page, sequence) {
  await page.goto('/overview');
  await page.getByRole('link', { name: sequence, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: sequence }).waitFor();
  await page.waitForLoadState(); // before its scripts are there, a dialog would be a page of its own
}

export const rowOf = (page, who) => page.locator('tr[data-row]').filter({ hasText: who });

/** Opens the enrollment's record by clicks: the sequence, then the contact in it. */
export async function openRecord(page, sequence, who) {
  await openSequence(page, sequence);
  await rowOf(page, who).getByRole('link', { name: who }).click();
  await page.getByRole('heading', { level: 1, name: who }).waitFor();
  await page.waitForLoadState();
}

/** The badge beside the name on a record. */
export const state = (page) => page.locator('.bar .badge');

/** The lines of a timeline, newest first. */
export const timeline = (page) => page.locator('#main .timeline > li');

/** A field of the record, by its label. */
export const fact = (page, label) => page.locator(`.facts dt:text-is("${label}") + dd`);

/** What *Why?* answers, and closes it again. */
export async function why(page) {
  await page.waitForLoadState();
  await page.getByRole('link', { name: 'Why?' }).first().click();
  const dialog = page.locator('dialog#dialog[open]');
  const answer = {
    sentence: await dialog.locator('.why-answer').innerText(),
    led: await dialog.locator('.why-led').allInnerTexts(),
    shut: await dialog.locator('.gate.shut .gate-name').allInnerTexts(),
  };
  await page.keyboard.press('Escape');
  await gone(dialog);
  return { ...answer, led: answer.led.join(' ') };
}

/** Opens the sandbox and waits for a message to somebody; newest first. */
export async function openMail(page, address, subject) {
  await page.goto('/sandbox');
  await page.getByRole('region', { name: address }).getByRole('link', { name: subject }).first().click();
  await page.locator('.sandbox-head').getByRole('heading', { name: subject }).waitFor();
}

/** The recipient does something with the open mail; `confirm` is the button of the dialog that asks. */
export async function asRecipient(page, action, confirm) {
  const tools = page.locator('.sandbox-tools');
  const acts = async () => {
    await tools.getByRole('button', { name: action }).click();
    if (confirm) await page.getByRole('dialog').getByRole('button', { name: confirm }).click();
  };
  await Promise.all([page.waitForResponse((r) => r.url().endsWith('/act') && r.request().method() === 'POST'), acts()]);
}

/** Moves the sandbox's clock by the buttons in the navigation. */
export async function skipAhead(page, by) {
  const button = page.locator('.skip').getByRole('button', { name: by, exact: true });
  await Promise.all([page.waitForResponse((r) => r.url().endsWith('/sandbox/skip')), button.click()]);
}

/** The open task's row in the list. */
export const task = (page, who) => page.locator('.task-row').filter({ hasText: who });
