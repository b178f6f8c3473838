import { css } from "lit";

/** Styles of a call. Texts on the pictures are light on dark in both colour schemes. */
export const callStyles = css`
  :host { display: grid; gap: 12px; min-height: 0; }
  .stage { position: relative; background: #0c1013; color: #fff; border-radius: 12px; overflow: hidden; aspect-ratio: 16 / 9; min-height: 96px; max-height: max(96px, calc(100dvh - 190px)); width: 100%; }
  video { display: block; }
  .main { width: 100%; height: 100%; object-fit: contain; }
  .own, .aside { position: absolute; width: 24%; min-width: 80px; aspect-ratio: 16 / 9; object-fit: cover; border-radius: 8px; border: 1px solid #fff6; background: #0c1013; }
  .own { right: 9.6px; bottom: 9.6px; transform: scaleX(-1); }
  .aside { right: 9.6px; top: 48px; }
  .voice { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 12px; font-size: 18.4px; }
  .face { width: 80px; height: 80px; border-radius: 50%; background: #fff2; display: grid; place-items: center; }
  .facts { position: absolute; display: flex; flex-wrap: wrap; gap: 6.4px; z-index: 1; }
  .facts.start { left: 9.6px; top: 9.6px; max-width: calc(100% - 128px); }
  .facts.end { right: 9.6px; top: 9.6px; z-index: 3; }
  .facts.bottom { left: 9.6px; bottom: 9.6px; max-width: 68%; }
  .chip { display: inline-flex; gap: 5.6px; align-items: center; padding: 4px 9.6px; border-radius: 999px; background: #0009; font-size: 12.8px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .chip.recording i { flex: none; width: 9.6px; height: 9.6px; border-radius: 50%; background: #ff5a4f; animation: pulse 2s ease-in-out infinite; }
  .time { font-variant-numeric: tabular-nums; }
  @keyframes pulse { 50% { opacity: 0.35; } }
  .veil { position: absolute; inset: 0; z-index: 2; background: #000a; display: grid; place-content: center; justify-items: center; gap: 12px; }
  .spinner { width: 32px; height: 32px; border-radius: 50%; border: 3px solid #fff4; border-top-color: #fff; animation: turn 1s linear infinite; }
  @keyframes turn { to { rotate: 1turn; } }
  .messages:not(:has(p)) { position: absolute; }
  .messages p { margin: 0; }
  .bar { display: flex; flex-wrap: wrap; gap: 8px; justify-content: center; align-items: center; }
  .count { position: absolute; top: -4.8px; right: -4.8px; min-width: 19.2px; height: 19.2px; padding: 0 4px; border-radius: 999px; background: var(--stop); color: var(--on-stop); font-size: 12px; line-height: 19.2px; }
  .panel { border-top: 1px solid var(--line); padding-top: 12px; }
  :host(:fullscreen) { background: #0c1013; padding: 12px; grid-template-rows: 1fr auto auto; height: 100vh; }
  :host(:fullscreen) .stage { aspect-ratio: auto; min-height: 0; }
  :host(:fullscreen) .bar { background: none; }
  :host(:fullscreen) .panel { background: var(--card); border-radius: 12px; padding: 12px; width: min(416px, 100%); justify-self: center; }
  @media (max-width: 440px) {
    .bar { max-width: 268px; margin: 0 auto; } /* two even rows: the button to hang up is not alone */
    .chip { white-space: normal; border-radius: 12px; }
    .voice { gap: 4px; font-size: 16px; }
    .face { width: 48px; height: 48px; }
  }
  @media (forced-colors: active) { .stage { border: 1px solid CanvasText; } .chip.recording i { forced-color-adjust: none; } }
`;
