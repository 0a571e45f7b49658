// Says in a few words what was done or why not, over the page.

/** `kind` is '' or 'bad'. */
export function toast(text, kind = '') {
  const place = document.getElementById('toasts');
  if (!place) return;
  const line = document.createElement('p');
  line.className = `toast ${kind}`;
  line.setAttribute('role', kind === 'bad' ? 'alert' : 'status');
  line.textContent = text;
  place.append(line);
  // Above open dialogs too.
  if (place.showPopover) {
    if (place.matches(':popover-open')) place.hidePopover();
    place.showPopover();
  }
  setTimeout(() => {
    line.remove();
    if (!place.childElementCount && place.matches(':popover-open')) place.hidePopover();
  }, kind === 'bad' ? 8000 : 4000);
}

// What was said by an action on the page before.
const before = sessionStorage.getItem('said');
sessionStorage.removeItem('said');
if (before) toast(before);

// What the server said with the page itself.
for (const line of document.querySelectorAll('#said [data-toast]')) toast(line.textContent, line.dataset.toast);
