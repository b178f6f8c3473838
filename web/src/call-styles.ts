import { css } from "lit";

/** How a call looks. Upon the pictures everything is light on dark, whatever the page's scheme. */
export const callStyles = css`
  :host { display: grid; gap: 0.75rem; min-height: 0; }
  .stage { position: relative; background: #0c1013; color: #fff; border-radius: 12px; overflow: hidden; aspect-ratio: 16 / 9; min-height: 12rem; }
  video { display: block; }
  .main { width: 100%; height: 100%; object-fit: contain; }
  .own, .aside { position: absolute; width: 24%; min-width: 5rem; aspect-ratio: 16 / 9; object-fit: cover; border-radius: 8px; border: 1px solid #fff6; background: #0c1013; }
  .own { right: 0.6rem; bottom: 0.6rem; transform: scaleX(-1); }
  .aside { right: 0.6rem; top: 3rem; }
  .voice { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 0.75rem; font-size: 1.15rem; }
  .face { width: 5rem; height: 5rem; border-radius: 50%; background: #fff2; display: grid; place-items: center; }
  .facts { position: absolute; display: flex; flex-wrap: wrap; gap: 0.4rem; z-index: 1; }
  .facts.start { left: 0.6rem; top: 0.6rem; max-width: 60%; }
  .facts.end { right: 0.6rem; top: 0.6rem; z-index: 3; }
  .facts.bottom { left: 0.6rem; bottom: 0.6rem; max-width: 68%; }
  .chip { display: inline-flex; gap: 0.35rem; align-items: center; padding: 0.25rem 0.6rem; border-radius: 999px; background: #0009; font-size: 0.8rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .chip.recording i { width: 0.6rem; height: 0.6rem; border-radius: 50%; background: #ff5a4f; animation: pulse 2s ease-in-out infinite; }
  .time { font-variant-numeric: tabular-nums; }
  @keyframes pulse { 50% { opacity: 0.35; } }
  .veil { position: absolute; inset: 0; z-index: 2; background: #000a; display: grid; place-content: center; justify-items: center; gap: 0.75rem; }
  .spinner { width: 2rem; height: 2rem; border-radius: 50%; border: 3px solid #fff4; border-top-color: #fff; animation: turn 1s linear infinite; }
  @keyframes turn { to { rotate: 1turn; } }
  .messages:not(:has(p)) { position: absolute; }
  .messages p { margin: 0; }
  .bar { display: flex; flex-wrap: wrap; gap: 0.5rem; justify-content: center; align-items: center; }
  .count { position: absolute; top: -0.3rem; right: -0.3rem; min-width: 1.2rem; height: 1.2rem; padding: 0 0.25rem; border-radius: 999px; background: var(--danger); color: var(--on-danger); font-size: 0.75rem; line-height: 1.2rem; }
  .panel { border-top: 1px solid var(--line); padding-top: 0.75rem; }
  :host(:fullscreen) { background: #0c1013; padding: 0.75rem; grid-template-rows: 1fr auto auto; height: 100vh; }
  :host(:fullscreen) .stage { aspect-ratio: auto; min-height: 0; }
  :host(:fullscreen) .bar { background: none; }
  :host(:fullscreen) .panel { background: var(--card); border-radius: 12px; padding: 0.75rem; width: min(26rem, 100%); justify-self: center; }
  @media (max-width: 26rem) { .bar { gap: 0.35rem; } }
`;
