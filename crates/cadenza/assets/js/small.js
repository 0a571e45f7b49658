// Small conveniences, each a few lines.

import { toast } from './toast.js';

// The key that goes with others is called differently there; the style sheet says how.
if (navigator.platform.startsWith('Mac')) document.documentElement.dataset.mac = '';

document.addEventListener('click', async (event) => {
  // Copies the text of the element that data-copy names.
  const copy = event.target.closest?.('[data-copy]');
  if (copy) {
    event.preventDefault();
    const text = document.getElementById(copy.dataset.copy)?.textContent.trim() ?? '';
    try {
      await navigator.clipboard.writeText(text);
      toast('Copied');
    } catch {
      toast('The browser does not allow copying here.', 'bad');
    }
  }
});

document.addEventListener('change', (event) => {
  const box = event.target;
  // The box in a table's head picks every row.
  if (box.matches('[data-pick-all]')) for (const pick of box.form.querySelectorAll('tbody .pick')) pick.checked = box.checked;
  // A select or switch that acts at once.
  if (box.matches('[data-submit]')) box.form.requestSubmit();
  if (box.matches('.pick')) {
    const n = box.form.querySelectorAll('tbody .pick:checked').length;
    for (const place of box.form.querySelectorAll('[data-picked]')) place.textContent = n;
  }
});

// A label before buttons leads to the first of them.
document.addEventListener('click', (event) => {
  event.target.closest?.('[data-focus-next]')?.parentElement.querySelector('button[name]')?.focus();
});

// Shift picks a run of rows.
let last = null;
document.addEventListener('click', (event) => {
  const box = event.target;
  if (!box.matches?.('tbody .pick')) return;
  if (event.shiftKey && last?.isConnected) {
    const boxes = [...box.form.querySelectorAll('tbody .pick')];
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const other of boxes.slice(from, to + 1)) other.checked = box.checked;
  }
  last = box;
});

// A double click on a row opens it.
document.addEventListener('dblclick', (event) => {
  if (event.target.closest('a, button, input, select')) return;
  event.target.closest?.('[data-row]')?.querySelector('.row-link')?.click();
});

// What was shown was looked at: it is told once, after it was.
const tellSeen = () => {
  for (const shown of document.querySelectorAll('[data-see]')) {
    const url = shown.dataset.see;
    shown.removeAttribute('data-see');
    fetch(url, { method: 'POST', credentials: 'same-origin' }).catch(() => {});
  }
};
document.addEventListener('swapped', tellSeen);
tellSeen();
