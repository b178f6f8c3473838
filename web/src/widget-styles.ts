import { css } from "lit";

/** Where the widget stands on its host page, and how wide it may be there. */
export const widgetStyles = css`
  :host { position: fixed; right: 1rem; bottom: 1rem; z-index: 2147483000; max-width: calc(100vw - 2rem); display: flex; justify-content: flex-end; }
  :host([join]) { position: static; display: block; max-width: none; }
  .card { box-shadow: 0 12px 40px #0003, 0 2px 8px #0002; width: min(22rem, 100%); max-height: calc(100dvh - 2rem); overflow-y: auto; overscroll-behavior: contain; }
  .card.connected, .card.reconnecting { width: min(32rem, calc(100vw - 2rem)); padding: 0.75rem; }
  .card.idle { width: auto; padding: 1rem 1.1rem; }
  :host([join]) .card { width: auto; max-height: none; box-shadow: none; }
  .title { font-weight: 650; margin: 0; }
  .idle .title { margin-bottom: 0.65rem; }
  .buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; }
  .buttons + p { margin: 0.65rem 0 0; }
  .who { display: flex; gap: 0.9rem; align-items: center; margin-bottom: 1rem; }
  .who p { margin: 0; }
  .who .place { color: var(--quiet); }
  .face { flex: none; width: 3.25rem; height: 3.25rem; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on-accent); }
  .face.ringing { animation: ring 1.8s ease-out infinite; }
  @keyframes ring { from { box-shadow: 0 0 0 0 color-mix(in srgb, var(--accent) 60%, transparent); } to { box-shadow: 0 0 0 0.9rem transparent; } }
  .who + button { width: 100%; }
  .head { display: flex; gap: 0.75rem; align-items: flex-start; justify-content: space-between; margin-bottom: 0.9rem; }
  .head .title { padding-top: 0.5rem; }
  .head button { border-color: transparent; margin: -0.25rem -0.5rem 0 0; }
  .ended .launcher { margin-top: 0.5rem; }
  @media (max-width: 30rem) {
    :host(:not([join])) { right: 0; bottom: 0; left: 0; max-width: none; display: block; }
    :host(:not([join])) .card { width: auto; border-radius: 18px 18px 0 0; border-width: 1px 0 0; max-height: 100dvh; padding-bottom: max(1rem, env(safe-area-inset-bottom)); }
    .buttons button { flex: 1 1 9rem; }
    :host(:not([join])) .card.connected, :host(:not([join])) .card.reconnecting { width: auto; padding: 0.5rem; }
  }
  @media (prefers-reduced-motion: reduce) { .face.ringing { box-shadow: 0 0 0 0.3rem color-mix(in srgb, var(--accent) 35%, transparent); } }
`;
