import { css } from "lit";

/** Styles that all components share: colours, buttons, fields, cards and headings. */
export const shared = css`
  :host {
    --ink: #17202a; --quiet: #56616d; --card: #fff; --line: #d8dde2; --soft: #eef1f3;
    --accent: #0b6b5d; --on-accent: #fff; --danger: #b3261e; --stop: #b3261e; --on-stop: #fff; --good: #1b6e37; --warn: #8a5300;
    font: 16px/1.45 system-ui, sans-serif; color: var(--ink); color-scheme: light dark; text-align: start;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --ink: #e8ecef; --quiet: #a3adb7; --card: #1b2229; --line: #323c46; --soft: #262f38;
      --accent: #5fd0bd; --on-accent: #06231e; --danger: #ffb4ab; --stop: #d0352b; --good: #7fd99a; --warn: #f2bd72;
    }
  }
  *, *::before, *::after { box-sizing: border-box; }
  [hidden] { display: none !important; }
  button {
    font: inherit; font-weight: 600; padding: 8.8px 16px; border-radius: 999px; cursor: pointer;
    border: 1px solid var(--line); background: var(--card); color: var(--ink);
    display: inline-flex; gap: 8px; align-items: center; justify-content: center; min-height: 44px; white-space: nowrap;
    transition: background 0.15s, border-color 0.15s, filter 0.15s;
  }
  button:hover:not(:disabled) { border-color: var(--accent); }
  button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
  button.danger { background: var(--stop); border-color: var(--stop); color: var(--on-stop); }
  button.primary:hover:not(:disabled), button.danger:hover:not(:disabled) { filter: brightness(1.1); }
  button.round { width: 44px; height: 44px; padding: 0; flex: none; position: relative; }
  button.round[aria-pressed="true"], button[aria-expanded="true"] { background: var(--ink); border-color: var(--ink); color: var(--card); }
  button.link { border: 0; background: none; padding: 4px; min-height: 0; color: var(--accent); text-decoration: underline; }
  button:disabled { opacity: 0.5; cursor: default; }
  button:focus-visible, a:focus-visible, input:focus-visible, select:focus-visible, textarea:focus-visible, summary:focus-visible, [tabindex]:focus-visible {
    outline: 3px solid var(--accent); outline-offset: 2px;
  }
  [tabindex="-1"]:focus, [tabindex="-1"]:focus-visible { outline: none; }
  .icon { flex: none; display: block; }
  .field { display: grid; grid-template-columns: minmax(0, 1fr); gap: 4px; font-weight: 600; font-size: 14.4px; min-width: 0; }
  .field input, .field select, .field textarea {
    font: inherit; font-size: 16px; font-weight: 400; width: 100%; min-height: 44px; padding: 8px 11.2px;
    border-radius: 10px; border: 1px solid var(--quiet); background: var(--card); color: inherit;
  }
  .tick { display: flex; gap: 9.6px; align-items: flex-start; }
  .tick input { width: 20px; height: 20px; margin: 1.6px 0 0; flex: none; accent-color: var(--accent); }
  .card { background: var(--card); border: 1px solid var(--line); border-radius: 16px; padding: 20px; }
  .quiet { color: var(--quiet); }
  .small { font-size: 14px; }
  .error { color: var(--danger); }
  .good { color: var(--good); }
  .warn { color: var(--warn); }
  .line { display: flex; gap: 8px; align-items: flex-start; }
  .line .icon { margin-top: 0.1em; }
  .badge {
    display: inline-block; font-size: 12.8px; font-weight: 600; padding: 1.6px 9.6px;
    border-radius: 999px; border: 1px solid var(--danger); color: var(--danger);
  }
  .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  p { margin: 0 0 12px; }
  h1, h2, h3 { margin: 0 0 12px; line-height: 1.2; }
  h1 { font-size: 24px; } h2 { font-size: 17.6px; } h3 { font-size: 16px; }
  @media (forced-colors: active) {
    button[aria-pressed="true"], button[aria-expanded="true"], button[aria-current="true"], button.primary { forced-color-adjust: none; background: Highlight !important; border-color: Highlight !important; color: HighlightText !important; }
    button:disabled, button.primary:disabled { forced-color-adjust: none; opacity: 1; background: Canvas !important; color: GrayText !important; border-color: GrayText !important; }
  }
  @media (prefers-reduced-motion: reduce) { *, *::before, *::after { transition: none !important; animation: none !important; } }
`;

/** Switches in forced colours (Windows high contrast), where the browser removes backgrounds: borders show the state. */
export const forcedSwitch = css`
  @media (forced-colors: active) {
    input[role="switch"] { border: 2px solid ButtonText; forced-color-adjust: none; background: Canvas; }
    input[role="switch"]::after { background: ButtonText; }
    input[role="switch"]:checked { background: Highlight; border-color: Highlight; }
    input[role="switch"]:checked::after { background: HighlightText; }
    input[role="switch"]:disabled { border-color: GrayText; }
  }
`;

/** Dot before an agent's name: available, in a call or away, told apart in forced colours as well. */
export const presenceDot = css`
  .dot { width: 0.6rem; height: 0.6rem; border-radius: 50%; background: var(--quiet); flex: none; }
  .dot.available { background: var(--good); } .dot.busy { background: var(--danger); }
  @media (forced-colors: active) {
    .dot { forced-color-adjust: none; border: 2px solid CanvasText; background: Canvas; }
    .dot.available { background: CanvasText; } .dot.busy { background: Highlight; border-color: Highlight; }
  }
`;
