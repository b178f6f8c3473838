import type { VisavisApi, VisavisEvents } from "../../public/visavis";
import type { EarlySocket } from "../call/signaling";
import { shorten } from "../shared/text";
import type { Happening } from "./visitor-session";
import { Widget } from "./widget";

type EventName = keyof VisavisEvents;
type Listener = (detail: object) => void;
type Entry = [name: string, ...values: unknown[]];
type Settings = { origin: string; site: string; position?: string; offset?: string; early?: EarlySocket };

const EVENTS: EventName[] = [
  "available",
  "invited",
  "ringing",
  "queued",
  "connecting",
  "connected",
  "reconnecting",
  "ended",
];
const LONGEST_NAME = 200;

/** Tell the host page's author, in the browser's console, what to correct. */
const complain = (sentence: string) => console.error(`visavis: ${sentence}`);

/** Listeners of the page API, and the present detail of each event. */
class Events {
  private readonly listeners = new Map<EventName, Set<Listener>>();
  private present: Partial<Record<EventName, object>> = {};

  tell(event: Happening, detail: object): void {
    const { available } = this.present;
    this.present =
      event === "available" ? { ...this.present, available: detail } : { available, [event]: detail };
    for (const listener of [...(this.listeners.get(event) ?? [])]) this.call(listener, detail);
  }

  on(event: EventName, listener: unknown): void {
    if (!EVENTS.includes(event)) return complain(`there is no event "${event}", only ${EVENTS.join(", ")}.`);
    if (typeof listener !== "function") return complain(`on("${event}", …) needs a function.`);
    const known = this.listeners.get(event) ?? new Set();
    if (known.has(listener as Listener)) return;
    this.listeners.set(event, known.add(listener as Listener));
    const detail = this.present[event];
    if (detail && event !== "ended") this.call(listener as Listener, detail);
  }

  off(event: EventName, listener: unknown): void {
    this.listeners.get(event)?.delete(listener as Listener);
  }

  /** Call a listener in a microtask, so that its exceptions do not disturb the call. */
  private call(listener: Listener, detail: object): void {
    queueMicrotask(() => listener(detail));
  }
}

/** Keeps the widget in the document even if the page's scripts replace the body, and follows the page's title. */
class Place {
  private readonly removed = new MutationObserver(() => this.put());
  private readonly titled = new MutationObserver(() => this.follow());
  private title = document.title;

  constructor(private readonly widget: Widget) {
    this.put();
    // The widget is not in the body, which frameworks replace and whose transforms would move it.
    this.removed.observe(document.documentElement, { childList: true });
    this.titled.observe(document.documentElement, { childList: true, subtree: true, characterData: true });
  }

  leave(): void {
    this.removed.disconnect();
    this.titled.disconnect();
    this.widget.remove();
  }

  private put(): void {
    if (!this.widget.isConnected) document.documentElement.append(this.widget);
  }

  private follow(): void {
    if (document.title === this.title) return;
    this.title = document.title;
    this.widget.visitor?.announcePage();
  }
}

/** Start the widget. The loader passes the script tag's settings, the API object and the queued calls. */
export const start = (settings: Settings, api: VisavisApi, waiting: Entry[]): void => {
  const widget = new Widget();
  const events = new Events();
  Object.assign(widget, { origin: settings.origin, site: settings.site, early: settings.early });
  widget.place(settings.position, settings.offset);
  for (const event of EVENTS)
    widget.addEventListener(event, (told) => events.tell(event, (told as CustomEvent<object>).detail));
  const place = new Place(widget);
  const run = ([name, ...values]: Entry) => {
    const method = name === "peerConnection" || name === "push" ? undefined : api[name as keyof VisavisApi];
    if (typeof method !== "function") return complain(`there is no method "${String(name)}".`);
    (method as (...values: unknown[]) => void)(...values);
  };
  const attempt = (entry: Entry) => {
    try {
      run(entry);
    } catch (error) {
      complain(`${JSON.stringify(entry)} failed: ${String(error)}`);
    }
  };
  const methods: Omit<VisavisApi, "peerConnection"> = {
    call: (media) => void widget.call(media === "audio" ? "audio" : "video"),
    hangUp: () => widget.visitor?.hangUp(),
    on: (event, listener) => events.on(event, listener),
    off: (event, listener) => events.off(event, listener),
    identify: (person) => {
      const { name = widget.visitor?.name, email = widget.visitor?.email } = person ?? {};
      widget.visitor?.identify(shorten(name, LONGEST_NAME), shorten(email, LONGEST_NAME));
    },
    show: () => widget.show(),
    hide: () => widget.hide(),
    minimize: () => widget.minimize(),
    destroy: () => {
      place.leave();
      widget.destroy();
      delete window.visavis;
    },
    push: (...entries) => entries.forEach(attempt),
  };
  Object.assign(api, methods);
  Object.defineProperty(api, "peerConnection", { get: () => widget.peerConnection });
  api.push(...waiting);
};
