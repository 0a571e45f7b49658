// A text that is checked while it is written: <textarea data-check="ID"> sends its form and shows the answer's #ID. Numbers
// stand beside its lines, those with a remark marked; a click on "Line 12" goes there. Without this module Check is a button.

import { swap } from './swap.js';

const WAIT = 350; // after the last key, ms
let timer;
let dirty = false; // something was written and not saved

const marks = () => {
  const found = document.getElementById('checked')?.dataset.marks?.split(' ').filter(Boolean) ?? [];
  const byLine = new Map();
  for (const mark of found) if (byLine.get(parseInt(mark, 10)) !== 'e') byLine.set(parseInt(mark, 10), mark.at(-1));
  return byLine;
};

/** Draws the numbers of the lines. */
function number() {
  const area = document.querySelector('textarea[data-check]');
  const gutter = area?.parentElement.querySelector('.gutter');
  if (!gutter) return;
  const lines = area.value.split('\n').length;
  const marked = marks();
  const names = { e: 'error', w: 'warning' };
  gutter.replaceChildren(...Array.from({ length: lines }, (_, i) => {
    const line = document.createElement('span');
    line.textContent = i + 1;
    if (marked.has(i + 1)) line.className = names[marked.get(i + 1)];
    return line;
  }));
  gutter.scrollTop = area.scrollTop;
}

async function check(area) {
  const form = area.form;
  const body = new URLSearchParams([['text', area.value], ['do', 'check']]);
  if (await swap(form.getAttribute('action'), area.dataset.check, { method: 'POST', body, history: 'none', focus: false })) number();
}

document.addEventListener('input', (event) => {
  const area = event.target;
  if (!area.matches?.('textarea[data-check]')) return;
  dirty = true;
  number();
  clearTimeout(timer);
  timer = setTimeout(() => check(area), WAIT);
});

document.addEventListener('scroll', (event) => {
  if (!event.target.matches?.('textarea[data-check]')) return;
  const gutter = event.target.parentElement.querySelector('.gutter');
  if (gutter) gutter.scrollTop = event.target.scrollTop;
}, true);

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('[data-line]');
  const area = document.querySelector('textarea[data-check]');
  if (!link || !area) return;
  event.preventDefault();
  const lines = area.value.split('\n');
  const line = Math.min(Number(link.dataset.line), lines.length) - 1;
  const start = lines.slice(0, line).reduce((sum, l) => sum + l.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + lines[line].length);
  const height = parseFloat(getComputedStyle(area).lineHeight);
  area.scrollTop = Math.max(0, line * height - area.clientHeight / 3);
});

document.addEventListener('swapped', number);
number();

window.addEventListener('beforeunload', (event) => {
  if (dirty && document.querySelector('textarea[data-check]')) event.preventDefault();
});
// Without the swap a form that is sent leaves the page too, and that is meant.
document.addEventListener('submit', (event) => {
  if (event.submitter?.value !== 'check' && !event.defaultPrevented) dirty = false;
});
