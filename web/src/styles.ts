import { css } from "lit";

/** Colours, shapes and controls that every component shares. */
export const shared = css`
  :host {
    --ink: #17202a; --quiet: #56616d; --card: #fff; --line: #d8dde2;
    --accent: #0b6b5d; --on-accent: #fff; --danger: #b3261e; --on-danger: #fff;
    font: 16px/1.45 system-ui, sans-serif; color: var(--ink); color-scheme: light dark;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --ink: #e8ecef; --quiet: #a3adb7; --card: #1b2229; --line: #323c46;
      --accent: #5fd0bd; --on-accent: #06231e; --danger: #ffb4ab; --on-danger: #410002;
    }
  }
  * { box-sizing: border-box; }
  button {
    font: inherit; font-weight: 600; padding: 0.55rem 1rem; border-radius: 999px; cursor: pointer;
    border: 1px solid var(--line); background: var(--card); color: var(--ink);
  }
  button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
  button.danger { background: var(--danger); border-color: var(--danger); color: var(--on-danger); }
  button:focus-visible, a:focus-visible, input:focus-visible {
    outline: 3px solid var(--accent); outline-offset: 2px;
  }
  .card { background: var(--card); border: 1px solid var(--line); border-radius: 16px; padding: 1.25rem; }
  .quiet { color: var(--quiet); }
  .error { color: var(--danger); }
  .badge {
    display: inline-block; font-size: 0.8rem; font-weight: 600; padding: 0.1rem 0.6rem;
    border-radius: 999px; border: 1px solid var(--danger); color: var(--danger);
  }
  p { margin: 0 0 0.75rem; }
  h1, h2 { margin: 0 0 0.75rem; line-height: 1.2; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; }
`;
