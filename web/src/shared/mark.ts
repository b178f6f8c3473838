import { svg, html } from "lit";

/** The product's mark, as in `public/icon.svg`, `size` CSS pixels wide. */
export const mark = (size: number) =>
  html`<svg viewBox="0 0 32 32" width=${size} height=${size} aria-hidden="true" class="mark">${drawing}</svg>`;

const drawing = svg`<rect width="32" height="32" rx="8" fill="#0b6b5d" />
  <path d="M7 10.5A2.5 2.5 0 0 1 9.5 8h9a2.5 2.5 0 0 1 2.5 2.5v11a2.5 2.5 0 0 1-2.5 2.5h-9A2.5 2.5 0 0 1 7 21.5z" fill="#fff" />
  <path d="M22.5 14.2l3.3-2.4a.75.75 0 0 1 1.2.6v7.2a.75.75 0 0 1-1.2.6l-3.3-2.4z" fill="#fff" />`;
