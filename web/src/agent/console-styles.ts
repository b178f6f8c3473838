import { css } from "lit";
import { forcedSwitch, presenceDot } from "../shared/styles";

/** Styles of the console: the call, and beside it (on a phone below it) the side column. */
export const consoleStyles = css`
  :host { display: block; min-height: 100vh; }
  a { color: var(--accent); }
  .presence { display: inline-flex; gap: 0.6rem; align-items: center; font-weight: 600; min-height: 2.75rem; cursor: pointer; }
  input[role="switch"] { appearance: none; flex: none; width: 2.75rem; height: 1.6rem; margin: 0; border-radius: 999px; background: var(--quiet); position: relative; cursor: pointer; transition: background 0.15s; }
  input[role="switch"]::after { content: ""; position: absolute; inset: 0.2rem auto 0.2rem 0.2rem; width: 1.2rem; border-radius: 50%; background: var(--card); transition: translate 0.15s; }
  input[role="switch"]:checked { background: var(--accent); }
  input[role="switch"]:checked::after { translate: 1.15rem; }
  input[role="switch"]:disabled { opacity: 0.5; }
  main { max-width: var(--page-width); margin: 0 auto; padding: 1.25rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr) 20rem; }
  main.alone { grid-template-columns: minmax(0, 1fr); max-width: 60rem; }
  .middle { display: grid; gap: 1.25rem; align-content: start; min-width: 0; grid-template-columns: minmax(0, 1fr); }
  .middle > [role="status"] p { margin: 0; }
  .notice { display: flex; gap: 1rem; align-items: center; justify-content: space-between; padding: 0.35rem 0.35rem 0.35rem 1.25rem; border-radius: 12px; background: var(--soft); border: 1px solid var(--line); }
  .notice p { margin: 0; min-width: 0; overflow-wrap: anywhere; }
  .notice > div { min-width: 0; }
  .notice > span { display: flex; flex: none; gap: 0.5rem; align-items: center; }
  .notice blockquote { margin: 0.5rem 0; padding-inline-start: 0.75rem; border-inline-start: 3px solid var(--accent); white-space: pre-wrap; overflow-wrap: anywhere; max-height: 12rem; overflow-y: auto; }
  .notice button { border-color: transparent; background: none; }
  .empty { display: grid; justify-items: center; text-align: center; gap: 0.75rem; padding: 2.5rem 1.25rem; }
  .empty h1, .empty p { margin: 0; }
  .empty h1 { font-size: 1.25rem; }
  .face { width: 4.5rem; height: 4.5rem; border-radius: 50%; display: grid; place-items: center; background: var(--soft); color: var(--accent); }
  .face.turning { animation: breathe 1.6s ease-in-out infinite; }
  @keyframes breathe { 50% { opacity: 0.5; } }
  .call { padding: 1rem; }
  .team { border-top: 1px solid var(--line); padding-top: 0.75rem; }
  .team ul { list-style: none; margin: 0; padding: 0; }
  .team li { display: flex; gap: 0.75rem; align-items: center; padding: 0.4rem 0; }
  .details p { overflow-wrap: anywhere; }
  .team .who { flex: 1; min-width: 0; overflow-wrap: anywhere; }
  ${presenceDot}
  ${forcedSwitch}
  @media (max-width: 62rem) {
    main { grid-template-columns: minmax(0, 1fr); }
    .middle { display: contents; }
    visavis-call-history { order: 1; } /* the queue comes before past calls */
  }
  @media (max-width: 40rem) {
    main { padding: 0.75rem; gap: 0.75rem; } .middle { gap: 0.75rem; }
    .call { padding: 0.6rem; }
  }
  @media (max-width: 26rem) {
    .presence { gap: 0.35rem; font-size: 0.9rem; }
  }
`;
