import type { Media } from "./protocol";
import type { Happening } from "./visitor";
import { Widget } from "./widget";

type Person = { name?: string; email?: string };
/** What a page asked of `visavis` before the widget was there: a method's name and its arguments. */
type Waiting = [keyof Api, ...unknown[]];

/** `window.visavis`: what integrators use; docs/widget.md describes it. */
export type Api = {
  call: (media: Media) => void;
  hangUp: () => void;
  on: (event: Happening, listener: (detail: object) => void) => void;
  identify: (person: Person) => void;
  readonly peerConnection: RTCPeerConnection | undefined;
};

const apiOf = (widget: Widget): Api => ({
  call: (media) => void widget.call(media === "audio" ? "audio" : "video"),
  hangUp: () => widget.visitor?.hangUp(),
  on: (event, listener) =>
    widget.addEventListener(event, (told) => listener((told as CustomEvent<object>).detail)),
  identify: ({ name = "", email = "" }) => widget.visitor?.identify(String(name), String(email)),
  get peerConnection() {
    return widget.peerConnection;
  },
});

/** Called by the loader, with what the page has asked for until now. */
export const start = (origin: string, site: string, waiting: Waiting[] = []): void => {
  const widget = new Widget();
  Object.assign(widget, { origin, site });
  const api = apiOf(widget);
  const begin = () => {
    document.body.append(widget);
    for (const [name, ...its] of waiting) (api[name] as (...its: unknown[]) => void)(...its);
    Object.assign(window, { visavis: api });
  };
  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin, { once: true });
};
