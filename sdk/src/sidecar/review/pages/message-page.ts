import { html } from 'hono/html';
import { page } from './layout.js';
import type { Html, PageFrame } from './layout.js';

/** A page that says one thing. */
export function messagePage(frame: PageFrame, text: string): Html {
  return page(
    frame,
    html`<p>${text}</p>
      <p><a href="${frame.base}">All requests</a></p>`,
  );
}
