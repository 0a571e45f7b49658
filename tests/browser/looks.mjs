// Whether a page can be used as it looks: nothing to scroll sideways, nothing without a name, nothing twice.

import assert from 'node:assert/strict';

export const DESK = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };
const FAULTS_SHOWN = 10;

/** Asserts that the page that is shown fits both a desk and a phone, and leaves it at a desk's size. */
export async function fitsEverywhere(page) {
  for (const size of [PHONE, DESK]) {
    await page.setViewportSize(size);
    const faults = await page.evaluate(look);
    const shown = faults.slice(0, FAULTS_SHOWN).join('\n  ');
    assert.equal(faults.length, 0, `${page.url()} at ${size.width}x${size.height}:\n  ${shown}`);
  }
}

/** Runs in the page. A picture of a flow and the text of a sequence may be wider than the screen and scroll in their own frames. */
function look() {
  const faults = [];
  const named = (e) => `${e.localName}${e.id && `#${e.id}`}${[...e.classList].map((c) => `.${c}`).join('')}`;
  const root = document.scrollingElement;
  if (root.scrollWidth > root.clientWidth) faults.push(`the page is ${root.scrollWidth} wide in ${root.clientWidth}`);
  if (document.querySelector('.shell') && root.scrollHeight > root.clientHeight + 1) {
    faults.push(`the page scrolls beside what is in it: ${root.scrollHeight} in ${root.clientHeight}`);
  }
  for (const e of document.querySelectorAll('body *')) {
    if (!e.checkVisibility()) continue;
    const sideways = ['auto', 'scroll'].includes(getComputedStyle(e).overflowX);
    if (sideways && e.scrollWidth > e.clientWidth + 1 && !e.closest('.flow-frame, .location, .editor-text')) {
      faults.push(`${named(e)} scrolls sideways: ${e.scrollWidth} in ${e.clientWidth}`);
    }
    if (e.matches('a[href], button, input:not([type=hidden]), select, textarea')) {
      const label = e.labels?.[0];
      const words = e.ariaLabel || e.textContent || e.title || label?.textContent || label?.title || e.placeholder || '';
      if (!words.trim()) faults.push(`${named(e)} has no name: ${e.outerHTML.slice(0, 120)}`);
      // What is cut with three dots, and what waits outside for the focus, is meant so.
      const box = e.getBoundingClientRect();
      const scrolls = e.closest('.flow-frame, .location, .skip-link, .one-line');
      if (!scrolls && box.width > 0 && (box.left < -1 || box.right > innerWidth + 1)) {
        faults.push(`${named(e)} is cut off: from ${Math.round(box.left)} to ${Math.round(box.right)} of ${innerWidth}`);
      }
    }
  }
  if (!document.title) faults.push('the page has no title');
  if (!document.querySelector('h1')?.innerText.trim()) faults.push('the page has no heading');
  if (/\bundefined\b|\[object |\bNaN\b/.test(document.body.innerText)) faults.push('the page shows the inside of a program');
  return faults;
}

/**
 * Visits every page that can be reached by links from `start`, each shape of address once, and calls `visit(page, path)`.
 * Answers the shapes.
 */
export async function walk(page, start, visit) {
  const seen = new Set();
  const waiting = [start];
  while (waiting.length > 0) {
    const path = waiting.shift();
    const shape = shapeOf(path);
    if (seen.has(shape)) continue;
    seen.add(shape);
    await page.goto(path);
    await visit(page, path);
    const links = await page.evaluate(() => [...document.querySelectorAll('a[href]')].map((a) => a.href));
    const origin = new URL(page.url()).origin;
    for (const url of links.map((href) => new URL(href))) {
      if (url.origin === origin && !url.pathname.startsWith('/api/')) waiting.push(url.pathname + url.search);
    }
  }
  return seen;
}

/** The address without what differs from row to row: of several filters the first stands for all. */
function shapeOf(path) {
  const url = new URL(path, 'http://127.0.0.1');
  const query = [...url.searchParams].map(([name, value]) => (name === 'tab' ? `?${name}=${value}` : `?${name}`));
  return url.pathname.replace(/[a-z]{3}_[0-9a-z]{13}(\.\d+)?/g, ':id') + (query.sort()[0] ?? '');
}
