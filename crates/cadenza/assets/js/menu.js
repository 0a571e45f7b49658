// Menus: a link with data-menu shows what it leads to in a popover beside it. Without this module it is a page. A right
// click on a row, or the key `.`, opens the row's own menu.

import { toast } from './toast.js';

let opener = null;

/** The popover of all menus. */
function popover() {
  let menu = document.getElementById('menu');
  if (!menu) {
    menu = document.createElement('div');
    menu.id = 'menu';
    menu.className = 'menu';
    menu.popover = 'auto';
    menu.setAttribute('role', 'menu');
    document.body.append(menu);
    menu.addEventListener('toggle', (event) => {
      if (event.newState === 'closed' && (menu.contains(document.activeElement) || document.activeElement === document.body)) opener?.focus({ preventScroll: true });
    });
    menu.addEventListener('click', (event) => {
      if (event.target.closest('a, button:not([data-stay])')) menu.hidePopover();
    });
  }
  return menu;
}

/** Shows the menu that `link` leads to; at `point` {x, y}, else beside the link. */
export async function openMenu(link, point) {
  let content = null;
  const inline = link.dataset.menu && document.getElementById(link.dataset.menu);
  if (inline) {
    content = [...inline.content.cloneNode(true).childNodes];
  } else {
    try {
      const response = await fetch(link.href, { headers: { 'X-Swap': 'menu-items' }, credentials: 'same-origin' });
      const answer = new DOMParser().parseFromString(await response.text(), 'text/html');
      const items = answer.getElementById('menu-items');
      if (items) content = [...items.childNodes];
      else toast(answer.querySelector('.message')?.textContent ?? 'That did not work.', 'bad');
    } catch {
      toast('The server cannot be reached.', 'bad');
    }
  }
  if (!content) return;
  const menu = popover();
  if (menu.matches(':popover-open')) menu.hidePopover();
  opener = link;
  menu.replaceChildren(...content.map((node) => document.adoptNode(node)));
  menu.showPopover();
  const beside = link.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const x = point?.x ?? (link.matches('[data-menu-end]') ? beside.right - width : beside.left);
  const y = point?.y ?? beside.bottom + 4;
  const fits = y + height < innerHeight - 8;
  menu.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
  menu.style.top = `${fits ? y : Math.max(8, (point?.y ?? beside.top - 4) - height)}px`;
  menu.querySelector('a, button')?.focus();
}

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('[data-menu]');
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  openMenu(link);
});

document.addEventListener('contextmenu', (event) => {
  const link = event.target.closest?.('[data-row]')?.querySelector('[data-menu]');
  if (!link || event.shiftKey || window.getSelection()?.toString()) return;
  event.preventDefault();
  openMenu(link, { x: event.clientX, y: event.clientY });
});

document.addEventListener('keydown', (event) => {
  const menu = event.target.closest?.('#menu');
  if (!menu || !['ArrowDown', 'ArrowUp', 'Home', 'End'].includes(event.key)) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll('a, button')].filter((item) => !item.disabled);
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  items[(to + items.length) % items.length]?.focus();
});
