// Dialogs: a link with data-dialog shows what it leads to over the page. Without this module it is a page of its own.

import { toast } from './toast.js';

/** Shows the <dialog> of the page at `url`. */
export async function openDialog(url) {
  try {
    const response = await fetch(url, { headers: { 'X-Swap': 'dialog' }, credentials: 'same-origin' });
    const next = response.headers.get('X-Go-To');
    if (next) return location.assign(next);
    const answer = new DOMParser().parseFromString(await response.text(), 'text/html');
    const dialog = answer.querySelector('dialog');
    if (!dialog) return toast(answer.querySelector('.message')?.textContent ?? 'That did not work.', 'bad');
    document.getElementById(dialog.id || 'dialog')?.remove();
    document.body.append(document.adoptNode(dialog));
    dialog.addEventListener('close', () => dialog.remove());
    show(dialog);
  } catch {
    toast('The server cannot be reached.', 'bad');
  }
}

export function show(dialog) {
  dialog.removeAttribute('open');
  dialog.showModal();
}

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('[data-dialog]');
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
    event.preventDefault();
    const here = link.dataset.dialog && document.getElementById(link.dataset.dialog);
    if (here) show(here);
    else openDialog(link.href);
    return;
  }
  if (event.target.closest?.('[data-close]')) {
    const dialog = event.target.closest('dialog');
    if (dialog) {
      event.preventDefault();
      dialog.close();
    }
    return;
  }
  // A click beside the dialog closes it, unless something was typed into it.
  const dialog = event.target;
  if (dialog.nodeName === 'DIALOG' && dialog.open && !dialog.querySelector(':user-valid, :user-invalid')) dialog.close();
});
