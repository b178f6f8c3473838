import { css } from "lit";

/**
 * Where the widget stands on its host page, and how wide it may be there.
 *
 * Sizes are pixels: the host page decides what a rem is. What its elements inherit is reset here, and
 * `!important` in a shadow root wins over the rules that the host page has for our element.
 */
export const widgetStyles = css`
  :host {
    --offset-x: 16px; --offset-y: 16px;
    position: fixed !important; inset: auto max(var(--offset-x), env(safe-area-inset-right)) max(var(--offset-y), env(safe-area-inset-bottom)) auto !important;
    z-index: 2147483000 !important; max-width: calc(100vw - 2 * var(--offset-x)) !important;
    display: flex !important; justify-content: flex-end; margin: 0 !important; padding: 0 !important; border: 0 !important;
    width: auto !important; height: auto !important; transform: none !important; filter: none !important; opacity: 1 !important; float: none !important;
    pointer-events: auto !important; visibility: visible !important; background: none !important;
    direction: ltr !important; letter-spacing: normal !important; word-spacing: normal !important; text-transform: none !important;
    text-indent: 0 !important; text-align: start !important; text-shadow: none !important; white-space: normal !important; font-style: normal !important;
    font-variant: normal !important; font-weight: 400 !important; font-size: 16px !important; line-height: 1.45 !important; font-family: system-ui, sans-serif !important;
    color: var(--ink) !important; cursor: auto !important; user-select: auto !important; word-break: normal !important; hyphens: manual !important; writing-mode: horizontal-tb !important;
  }
  :host([left]) { inset: auto auto max(var(--offset-y), env(safe-area-inset-bottom)) max(var(--offset-x), env(safe-area-inset-left)) !important; justify-content: flex-start; }
  :host([join]) { position: static !important; display: block !important; max-width: none !important; }
  .launcher { width: 56px; height: 56px; padding: 0; box-shadow: 0 6px 20px #0004; }
  .card { box-shadow: 0 12px 40px #0003, 0 2px 8px #0002; width: min(352px, 100%); max-height: calc(100dvh - 2 * var(--offset-y)); overflow-y: auto; overscroll-behavior: contain; }
  .card.connected, .card.reconnecting { width: min(512px, calc(100vw - 2 * var(--offset-x))); padding: 12px; }
  .card.idle { width: auto; padding: 12px 16px 16px; }
  .card.small-bar { width: auto; max-width: 100%; padding: 8px 8px 8px 16px; border-radius: 999px; }
  .line-bar { display: flex; align-items: center; gap: 8px; min-width: 0; }
  .line-bar .name { margin: 0; font-weight: 600; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .line-bar .time { font-variant-numeric: tabular-nums; color: var(--quiet); }
  :host([join]) .card { width: auto; max-height: none; box-shadow: none; }
  .title { font-weight: 650; margin: 0; }
  .buttons { display: flex; flex-wrap: wrap; gap: 8px; }
  .buttons + p { margin: 10px 0 0; }
  .who { display: flex; gap: 14px; align-items: center; margin-bottom: 16px; }
  .who p { margin: 0; }
  .who .place { color: var(--quiet); }
  .face { flex: none; width: 52px; height: 52px; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on-accent); }
  .face.ringing { animation: ring 1.8s ease-out infinite; }
  @keyframes ring { from { box-shadow: 0 0 0 0 color-mix(in srgb, var(--accent) 60%, transparent); } to { box-shadow: 0 0 0 14px transparent; } }
  .who + button { width: 100%; }
  .head { display: flex; gap: 12px; align-items: center; justify-content: space-between; margin-bottom: 8px; }
  .head button { border-color: transparent; margin: -4px -8px 0 0; background: none; }
  @media (max-width: 480px), (max-height: 480px) {
    :host(:not([join])) .card:not(.idle):not(.small-bar):not(.ended) { position: fixed; inset: auto 0 0; width: auto; max-width: none; border-radius: 18px 18px 0 0; border-width: 1px 0 0; max-height: 100dvh; padding-bottom: max(16px, env(safe-area-inset-bottom)); }
    .buttons button { flex: 1 1 auto; }
    :host(:not([join])) .card.connected:not(.small-bar), :host(:not([join])) .card.reconnecting:not(.small-bar) { padding: 8px; padding-bottom: max(8px, env(safe-area-inset-bottom)); }
  }
  @media (prefers-reduced-motion: reduce) { .face.ringing { box-shadow: 0 0 0 5px color-mix(in srgb, var(--accent) 35%, transparent); } }
  @media (forced-colors: active) { .launcher, .face { border: 1px solid ButtonText; } }
  @media print { :host { display: none !important; } }
`;
