// Replaces one element of the page by its namesake in an answer of the server.
//
//   <a href="/tasks?type=call" data-swap="main">        a link that replaces #main and is put into the history
//   <form data-swap="rows" data-live-search>             a form that does, at each letter
//   <form method="post" data-swap="card">                an action: what it redirects to is shown in #card
//   data-swap="panel" data-quiet                         not put into the history
//   <ul id="rows" data-keep-chosen>                      rows whose box is checked stay, whatever the answer holds
//
// The server is told with X-Swap which element is wanted; it may answer with more, the element is looked for in it.
// X-Go-To opens another page. An answer that holds no such element is a message, shown as a toast.

import { toast } from './toast.js';

const running = new Map(); // element id -> { method, abort }: the newest request for an element wins

/** Is the element being replaced? */
export const isBusy = (id) => running.has(id);

/**
 * Asks `url` and puts the element `id` of the answer in place of the one shown, `unless` something came up while it was asked.
 * Answers whether it did.
 */
export async function swap(url, id, { method = 'GET', body, history = 'push', focus = true, unless = () => false } = {}) {
  // What acts is never broken off, or it might not be done; its answer only comes too late to be shown.
  if (running.get(id)?.method === 'GET') running.get(id).abort.abort();
  const own = { method, abort: new AbortController() };
  running.set(id, own);
  document.getElementById(id)?.setAttribute('aria-busy', 'true');
  let response, text, overtaken;
  try {
    response = await fetch(url, { method, body, headers: { 'X-Swap': id }, signal: own.abort.signal, credentials: 'same-origin' });
    text = await response.text();
  } catch (error) {
    if (error.name !== 'AbortError') toast('The server cannot be reached.', 'bad');
    return false;
  } finally {
    if (running.get(id) === own) {
      running.delete(id);
      document.getElementById(id)?.removeAttribute('aria-busy');
    } else if (response) {
      overtaken = true;
    }
  }
  const next = response.headers.get('X-Go-To');
  if (next) {
    location.assign(next);
    return false;
  }
  const said = response.headers.get('X-Toast');
  if (overtaken) {
    if (said) toast(decodeURIComponent(said));
    else if (!response.ok) toast(messageOf(new DOMParser().parseFromString(text, 'text/html')), 'bad');
    return response.ok;
  }
  if (response.redirected && method !== 'GET' && new URL(response.url).pathname !== location.pathname) {
    // Another page, with a frame of its own around the element.
    if (said) sessionStorage.setItem('said', decodeURIComponent(said));
    location.assign(response.url);
    return false;
  }
  const answer = new DOMParser().parseFromString(text, 'text/html');
  const fresh = answer.getElementById(id);
  if (!fresh) {
    toast(messageOf(answer), response.ok ? '' : 'bad');
    return false;
  }
  if (unless()) return false;
  const shown = response.redirected ? response.url : url;
  place(fresh, id, focus);
  const title = answer.querySelector('title')?.textContent;
  if (title && history !== 'none') document.title = title;
  if (history === 'push' && (method === 'GET' || response.redirected)) window.history.pushState({ swap: id }, '', shown);
  if (history === 'replace') window.history.replaceState({ swap: id }, '', shown);
  if (said) toast(decodeURIComponent(said));
  return true;
}

const messageOf = (answer) => answer.querySelector('.message')?.textContent.trim() || 'That did not work.';

/** Puts `fresh` in place of #id, keeping where one was: scroll, the focused control, its caret, what was picked. */
function place(fresh, id, focus) {
  const old = document.getElementById(id);
  if (!old) return;
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  const caret = active && 'selectionStart' in active ? [active.selectionStart, active.selectionEnd] : null;
  const typed = active && 'value' in active && active.matches('input:not([type=checkbox]):not([type=radio]), textarea') ? active.value : null;
  const known = active && (active.id ? `#${CSS.escape(active.id)}` : active.name ? `[name="${CSS.escape(active.name)}"]` : active.dataset.key ? `[data-key="${CSS.escape(active.dataset.key)}"]` : active.hasAttribute('href') && `[href="${CSS.escape(active.getAttribute('href'))}"]`);
  const picked = new Set([...old.querySelectorAll('.pick:checked')].map((box) => box.value));
  const scrolls = [...[old], ...old.querySelectorAll('[data-keep-scroll]')].map((e) => [e.id, e.scrollTop]);
  for (const chosen of old.matches('[data-keep-chosen]') ? old.querySelectorAll('li:has(:checked)') : []) {
    // What was chosen stays while a search shows others.
    const same = fresh.querySelector(`[value="${CSS.escape(chosen.querySelector(':checked').value)}"]`);
    if (same) same.checked = true;
    else fresh.prepend(chosen.cloneNode(true));
  }
  for (const box of fresh.querySelectorAll('.pick')) if (picked.has(box.value)) box.checked = true;
  for (const kept of old.querySelectorAll('[data-keep]:checked')) {
    const same = kept.id && fresh.querySelector(`#${CSS.escape(kept.id)}`);
    if (same) same.checked = true;
  }
  old.replaceWith(fresh);
  for (const [of, top] of scrolls) {
    const element = of && document.getElementById(of);
    if (element) element.scrollTop = top;
  }
  const again = known && fresh.querySelector(known);
  const wanted = fresh.querySelector('[autofocus]');
  if (again) {
    again.focus({ preventScroll: true });
    if (typed !== null && again.value !== typed && again.type !== 'hidden') again.value = typed;
    if (caret && caret[0] !== null) again.setSelectionRange?.(caret[0], caret[1]);
  } else if (focus && wanted) {
    wanted.focus();
  }
  fresh.dispatchEvent(new CustomEvent('swapped', { bubbles: true }));
}

const mine = (event) => event.defaultPrevented || event.button > 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
const historyOf = (element) => (element.hasAttribute('data-quiet') ? 'none' : element.hasAttribute('data-replace') ? 'replace' : 'push');

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[data-swap]');
  if (!link || mine(event) || link.target) return;
  event.preventDefault();
  swap(link.href, link.dataset.swap, { history: historyOf(link) });
});

document.addEventListener('submit', async (event) => {
  const form = event.target;
  const button = event.submitter;
  if (event.defaultPrevented || form.method === 'dialog') return;
  const question = button?.dataset.ask ?? form.dataset.ask;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  const id = button?.dataset.swap ?? form.dataset.swap;
  if (!id) return;
  event.preventDefault();
  const method = (button?.getAttribute('formmethod') ?? form.getAttribute('method') ?? 'get').toUpperCase();
  const url = new URL(button?.getAttribute('formaction') ?? form.getAttribute('action') ?? location.href, location.href);
  const data = new FormData(form, button);
  if (method === 'GET') {
    url.search = query(data);
    await swap(url, id, { history: historyOf(form) });
    return;
  }
  const upload = form.enctype === 'multipart/form-data';
  if (button) button.disabled = true;
  const done = await swap(url, id, { method, body: upload ? data : new URLSearchParams(data), history: historyOf(form) });
  if (button) button.disabled = false;
  if (done) form.closest('dialog')?.close();
});

/** A query string without what is empty. */
const query = (data) => new URLSearchParams([...data].filter(([, value]) => value !== '')).toString();

let typing;
document.addEventListener('input', (event) => {
  const form = event.target.form;
  if (!form?.hasAttribute('data-live-search')) return;
  clearTimeout(typing);
  const wait = event.target.matches('input[type=search], input[type=text]') ? 140 : 0;
  typing = setTimeout(() => {
    const url = new URL(form.getAttribute('action') ?? location.href, location.href);
    url.search = query(new FormData(form));
    // A search in a dialog is no place to come back to.
    swap(url, form.dataset.swap, { history: form.hasAttribute('data-quiet') ? 'none' : 'replace', focus: false });
  }, wait);
});

window.addEventListener('popstate', (event) => {
  const id = event.state?.swap;
  if (id && document.getElementById(id)) swap(location.href, id, { history: 'none' });
  else location.reload();
});
