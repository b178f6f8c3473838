// Built into /widget.js. Queues the page's calls until the widget has loaded, and meanwhile connects to the
// server, so that the widget can be drawn as soon as it has loaded.
import type { VisavisApi } from "../../public/visavis";
import type { EarlySocket } from "../call/signaling";

type Entry = [name: string, ...values: unknown[]];
type Started = { start: (settings: object, api: object, queue: Entry[]) => void };

/** The build replaces this name with `import`, which Vite itself would wrap in two kilobytes of preloading. */
declare const importModule: (url: string) => Promise<Started>;

(() => {
  const methods = ["call", "hangUp", "on", "off", "identify", "show", "hide", "minimize", "destroy"];
  const early = window.visavis;
  if (early && !Array.isArray(early) && "push" in early) return;
  const tag =
    (document.currentScript as HTMLScriptElement | null) ??
    document.querySelector<HTMLScriptElement>('script[src*="/widget.js"]');
  // The document does not list a script inside a shadow root; the stack names its URL.
  const url = tag?.src || /https?:[^\s()]+\/widget\.js(\?[^\s():]*)?/.exec(new Error().stack!)![0];
  const { origin, searchParams } = new URL(url);
  const queue: Entry[] = Array.isArray(early) ? [...early] : [];
  const api: Record<string, unknown> = {
    push: (...entries: Entry[]) => void queue.push(...entries),
  };
  for (const name of methods) api[name] = (...values: unknown[]) => void queue.push([name, ...values]);
  window.visavis = api as unknown as VisavisApi;
  const settings = { site: searchParams.get("site") || "1", ...tag?.dataset, origin };
  const socket = new WebSocket(
    `${origin.replace("http", "ws")}/signaling/visitor?site=${encodeURIComponent(settings.site)}`,
  );
  const opened: EarlySocket = { socket, events: [] };
  socket.onopen = socket.onmessage = socket.onclose = (event: Event) => void opened.events.push(event);
  importModule(`${origin}/static/WIDGET`).then(
    ({ start }) => start({ ...settings, early: opened }, api, queue),
    (error) => {
      socket.close();
      console.error(`visavis: the widget cannot be loaded from ${origin}.`, error);
    },
  );
})();
