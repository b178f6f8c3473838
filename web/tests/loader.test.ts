import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { VisavisApi } from "../public/visavis";
import { FakeSocket } from "./fakes";

type Entry = [name: string, ...values: unknown[]];
const start = vi.fn<(settings: object, api: object, queue: Entry[]) => void>();

/** Run the loader again, as a second script tag does. */
const run = async () => {
  vi.resetModules();
  await import("../src/visitor/loader");
  await Promise.resolve();
};

beforeEach(() => {
  start.mockReset();
  vi.stubGlobal("importModule", vi.fn().mockResolvedValue({ start }));
  document.head.innerHTML = '<script src="https://chat.example/widget.js" data-site="7"></script>';
});
afterEach(() => {
  delete window.visavis;
  document.head.innerHTML = "";
});

test("calls made early wait in one queue, in their order", async () => {
  window.visavis = [["identify", { name: "Ada" }]];
  await run();
  const api = window.visavis as unknown as VisavisApi;
  api.push(["on", "ended", run]);
  api.call("audio");
  const [settings, given, queue] = start.mock.calls[0]!;
  expect(settings).toMatchObject({ origin: "https://chat.example", site: "7" });
  expect(given).toBe(api);
  expect(queue).toEqual([
    ["identify", { name: "Ada" }],
    ["on", "ended", run],
    ["call", "audio"],
  ]);
});

test("a second script does nothing", async () => {
  await run();
  const first = window.visavis;
  await run();
  expect(window.visavis).toBe(first);
  expect(start).toHaveBeenCalledOnce();
});

test("a script that is not in the document is found by its URL, and its site too", async () => {
  document.head.innerHTML = "";
  const stack = "Error\n    at https://shop.example:8443/widget.js?site=3:4:20";
  vi.stubGlobal(
    "Error",
    class extends Error {
      override stack = stack;
    },
  );
  await run();
  expect(start.mock.calls[0]![0]).toMatchObject({ origin: "https://shop.example:8443", site: "3" });
});

test("a widget that cannot be loaded is said in the console", async () => {
  vi.stubGlobal("importModule", vi.fn().mockRejectedValue(new TypeError("blocked")));
  const said = vi.spyOn(console, "error").mockReturnValue();
  await run();
  expect(said.mock.calls[0]![0]).toBe("visavis: the widget cannot be loaded from https://chat.example.");
});

test("the loader connects to the server while the widget loads", async () => {
  let load: (module: object) => void = () => undefined;
  vi.stubGlobal("importModule", () => new Promise<object>((resolve) => (load = resolve)));
  await run();
  const socket = FakeSocket.latest;
  expect(socket.url).toBe("wss://chat.example/signaling/visitor?site=7");
  socket.open();
  socket.receive({ type: "availability" });
  load({ start });
  await vi.waitFor(() => expect(start).toHaveBeenCalledOnce());
  expect(start.mock.calls[0]![0]).toMatchObject({
    early: { socket, events: [{ type: "open" }, { type: "message" }] },
  });
});

test("a widget that cannot be loaded leaves no connection behind", async () => {
  vi.stubGlobal("importModule", vi.fn().mockRejectedValue(new TypeError("blocked")));
  vi.spyOn(console, "error").mockReturnValue();
  await run();
  await vi.waitFor(() => expect(FakeSocket.latest.readyState).toBe(FakeSocket.CLOSING));
});
