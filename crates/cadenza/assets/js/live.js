// What changes by itself: elements with data-live are asked for again after something was committed. Nothing is replaced
// under somebody's hands: not while they type in it, have picked rows of it, or have a menu or dialog open.

import { isBusy, swap } from './swap.js';

let source = null;
let missed = false;

const busy = (part) =>
  document.hidden ||
  isBusy(part.id) ||
  document.querySelector('dialog[open], :popover-open:not(#toasts)') ||
  part.querySelector('.pick:checked') ||
  [...part.querySelectorAll('textarea, input[type=text], input:not([type])')].some((field) => field.value !== field.defaultValue) ||
  (part.contains(document.activeElement) && document.activeElement.matches('input, textarea, select'));

async function refresh() {
  missed = false;
  for (const part of document.querySelectorAll('[data-live]')) {
    // Asked again when the answer is there: a dialog may have been opened, or typing begun, in between.
    const inHand = () => busy(part) && (missed = true);
    if (!inHand()) await swap(part.dataset.live || location.href, part.id, { history: 'none', focus: false, unless: inHand });
  }
}

function listen() {
  if (source || document.hidden || !document.querySelector('[data-live]')) return;
  // The page tells what it has seen, so that nothing is missed between its making and this.
  source = new EventSource(`/live?seen=${document.querySelector('[data-seen]')?.dataset.seen ?? ''}`);
  source.addEventListener('change', refresh);
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    source?.close();
    source = null;
  } else {
    listen();
    if (document.querySelector('[data-live]')) refresh();
  }
});
document.addEventListener('swapped', () => {
  listen();
  later();
});
// What could not be shown when it happened is shown when the hands are off.
function later() {
  if (missed) setTimeout(() => missed && refresh(), 300);
}
document.addEventListener('focusout', later);
document.addEventListener('close', later, true);
document.addEventListener('toggle', later, true);
document.addEventListener('change', (event) => event.target.matches('.pick') && later());
window.addEventListener('pagehide', () => source?.close());
listen();
