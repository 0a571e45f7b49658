// Begins everything. Every page works without these modules; they make it quick: parts are replaced instead of pages,
// lists follow the keyboard, and what others and the engine do appears by itself.

import './js/swap.js';
import './js/menu.js';
import './js/dialog.js';
import './js/keys.js';
import './js/live.js';
import './js/small.js';
import './js/editor.js';
