import { svg, type SVGTemplateResult } from "lit";

const PATHS = {
  microphone: "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  microphoneOff:
    "M9 9v3a3 3 0 0 0 5 2.2M15 10V6a3 3 0 0 0-5.7-1.3M5.5 11.5a6.5 6.5 0 0 0 11 4.7M18.4 12.5l.1-1M12 18v3M4 4l16 16",
  camera:
    "M4.5 6.5h9a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2ZM15.5 11l6-3.5v9l-6-3.5",
  cameraOff:
    "M9 6.5h4.5a2 2 0 0 1 2 2V12M15.5 15.5a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 1.5-1.9M15.5 11l6-3.5v9l-3-1.8M4 4l16 16",
  screen:
    "M4 4.5h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-10a1 1 0 0 1 1-1ZM8 20.5h8M12 13.5v-6M9 10l3-3 3 3",
  screenOff:
    "M4 4.5h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-10a1 1 0 0 1 1-1ZM8 20.5h8M9.5 8l5 5M14.5 8l-5 5",
  chat: "M5 4.5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-8.5l-4.5 4v-4H5a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2ZM8 9h8M8 12.5h5",
  devices: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  phone:
    "M5.5 3.5h3.2l1.8 4.6-2.3 1.5a11.5 11.5 0 0 0 6.2 6.2l1.5-2.3 4.6 1.8v3.2a2 2 0 0 1-2.1 2A16.5 16.5 0 0 1 3.5 5.6a2 2 0 0 1 2-2.1Z",
  hangUp:
    "M3.2 15.8l2.1 1.6 3-2.2-.5-2.7a11.5 11.5 0 0 1 8.4 0l-.5 2.7 3 2.2 2.1-1.6a1.9 1.9 0 0 0 .1-2.9 16.3 16.3 0 0 0-17.8 0 1.9 1.9 0 0 0 .1 2.9Z",
  minimize: "M5 19h14",
  enlarge: "M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5",
  shrink: "M4 9h5V4M20 9h-5V4M4 15h5v5M20 15h-5v5",
  transfer: "M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4",
  record: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  pause: "M9 6v12M15 6v12",
  close: "M6 6l12 12M18 6L6 18",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5a7.5 7.5 0 0 1 15 0",
  bell: "M6 16.5v-5a6 6 0 1 1 12 0v5l1.5 1.5h-15L6 16.5ZM10 21h4",
  send: "M4 12l16-7.5L14 20l-3-6.5L4 12ZM11 13.5l4-4",
  good: "M5 12.5l4.5 4.5L19 7.5",
  warning: "M12 4l9.5 16.5h-19L12 4ZM12 10v4.5M12 17.4v.1",
  sound: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4ZM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
} as const;

export type IconName = keyof typeof PATHS;

/** Icon beside a text or in place of one. Screen readers skip it, so a button with an icon only needs a label. */
export const icon = (
  name: IconName,
  size = 20,
): SVGTemplateResult => svg`<svg class="icon" width=${size} height=${size}
  viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"
  aria-hidden="true" focusable="false"><path d=${PATHS[name]}></path></svg>`;
