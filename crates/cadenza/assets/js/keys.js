// The keyboard. Keys stand beside what they do (data-key on a link or button, data-go on the navigation), so the page is
// their only list; this module presses them and moves through rows.
//
//   j k ↓ ↑ move    Enter open    x select    . menu    / search    g t, g q, … go    ? help    Esc back

import { openMenu } from './menu.js';
import { show } from './dialog.js';

let went = 0; // when `g` was pressed
const visible = (element) => element.checkVisibility?.() ?? true;
const rows = () => [...document.querySelectorAll('[data-rows] .row-link')].filter(visible);
const current = () => document.activeElement?.closest?.('[data-row]')?.querySelector('.row-link');

function move(by) {
  const list = rows();
  if (!list.length) return;
  const marked = document.querySelector('[data-row][aria-selected="true"] .row-link');
  const at = list.indexOf(current() ?? marked);
  const to = at < 0 ? 0 : Math.max(0, Math.min(list.length - 1, at + by));
  list[to].focus({ preventScroll: true });
  list[to].closest('[data-row]').scrollIntoView({ block: 'nearest' });
  if (list[to].hasAttribute('data-follow')) list[to].click();
}

/** The link or button of that key: in the open dialog, else nearest to where one is, else anywhere. */
function keyed(name) {
  const of = `[data-key="${CSS.escape(name)}"]`;
  const open = document.querySelector('dialog[open]');
  if (open) return open.querySelector(of);
  return document.activeElement?.closest?.('[data-row], [data-keys]')?.querySelector(of) ?? [...document.querySelectorAll(of)].find(visible);
}

const actions = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => rows().length && move(1),
  ArrowUp: () => rows().length && move(-1),
  x: () => {
    const box = (current() ?? rows()[0])?.closest('[data-row]').querySelector('.pick');
    box?.click();
  },
  '.': () => {
    const menu = current()?.closest('[data-row]').querySelector('[data-menu]') ?? document.querySelector('.bar [data-menu]');
    if (menu) openMenu(menu);
  },
  '/': () => {
    const search = document.querySelector('input[type=search]');
    if (search) search.focus(), search.select();
    else document.querySelector('[data-dialog="palette"]')?.click();
  },
  '?': () => show(document.getElementById('shortcuts')),
  Escape: () => {
    const picked = document.querySelectorAll('.pick:checked');
    if (picked.length) for (const box of picked) box.checked = false;
    else document.querySelector('[data-back]')?.click();
  },
};

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.metaKey || event.ctrlKey) && event.key === 'k') {
    event.preventDefault();
    document.querySelector('[data-dialog="palette"]')?.click();
    return;
  }
  const field = event.target.closest?.('input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]');
  if (field) {
    if (event.key === 'Escape' && !field.closest('dialog, [popover]')) field.blur();
    if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) field.form?.requestSubmit();
    if (event.key === 'ArrowDown' && field.matches('[type=search]')) event.preventDefault(), field.blur(), move(1);
    return;
  }
  if (event.metaKey || event.ctrlKey || event.altKey || event.target.closest?.('#menu')) return;
  if (went && event.timeStamp - went < 1200) {
    went = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) event.preventDefault(), link.click();
    return;
  }
  if (event.key === 'g') {
    went = event.timeStamp;
    return;
  }
  const target = keyed(event.key);
  if (target) {
    event.preventDefault();
    target.matches('input, textarea, select') ? target.focus() : target.click();
    return;
  }
  if (document.querySelector('dialog[open], :popover-open:not(#toasts)')) return;
  const action = actions[event.key];
  if (action && action() !== 0) event.preventDefault();
});
