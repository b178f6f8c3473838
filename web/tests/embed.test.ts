import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { VisavisApi } from "../public/visavis";
import { start } from "../src/visitor/embed";
import { FakeSocket, settled } from "./fakes";

type Entry = [name: string, ...values: unknown[]];
const AVAILABLE = { type: "availability", isEnabled: true, isRecorded: false, needsAgreement: false };

let api: VisavisApi;
let complaints: string[];

/** Load the widget as the loader does, with what the page asked for before. */
const load = async (queue: Entry[] = [], settings = {}): Promise<void> => {
  api = {} as VisavisApi;
  window.visavis = api;
  start({ origin: "https://chat.example", site: "1", ...settings }, api, queue);
  FakeSocket.latest.open();
  FakeSocket.latest.receive(AVAILABLE);
  await settled();
};
const widget = () => document.querySelector("visavis-widget")!;
const shown = () => widget().shadowRoot!;
const button = (label: string) => shown().querySelector<HTMLElement>(`[aria-label="${label}"]`);
const told = () => FakeSocket.latest.ofType("here").at(-1);

beforeEach(() => {
  complaints = [];
  vi.spyOn(console, "error").mockImplementation((text: string) => void complaints.push(text));
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
});
afterEach(() => api.destroy());

test("one bad entry does not keep the others from running", async () => {
  const listener = vi.fn();
  await load([["fly"], ["on", "landed", listener], ["on", "available", 7], ["on", "available", listener]]);
  expect(listener).toHaveBeenCalledExactlyOnceWith({ isEnabled: true, isStaffed: true });
  expect(complaints).toEqual([
    'visavis: there is no method "fly".',
    expect.stringContaining('visavis: there is no event "landed", only available,'),
    'visavis: on("available", …) needs a function.',
  ]);
});

test("push works after loading, too", async () => {
  await load();
  api.push(["identify", { name: "Ada" }], ["nothing"]);
  expect(told()).toMatchObject({ name: "Ada", email: "" });
  expect(complaints).toEqual(['visavis: there is no method "nothing".']);
});

test("null means none, and what is left out stays", async () => {
  await load();
  api.identify({ name: "Ada", email: "ada@example.com" });
  api.identify({ name: null });
  expect(told()).toMatchObject({ name: "", email: "ada@example.com" });
  api.identify(undefined as unknown as { name: string });
  expect(told()).toMatchObject({ name: "", email: "ada@example.com" });
});

test("names and titles are cut by code points", async () => {
  document.title = "🙂".repeat(300);
  await load();
  api.identify({ name: "👩‍🚀".repeat(200) });
  expect([...(told()!.name as string)]).toHaveLength(200);
  expect(told()!.page).toBe("🙂".repeat(200));
});

test("a late listener is told the present state, and nothing after off", async () => {
  await load();
  const listener = vi.fn();
  api.on("available", listener);
  await settled();
  expect(listener).toHaveBeenCalledExactlyOnceWith({ isEnabled: true, isStaffed: true });
  api.off("available", listener);
  FakeSocket.latest.receive({ ...AVAILABLE, isEnabled: false });
  await settled();
  expect(listener).toHaveBeenCalledOnce();
});

test("a new body and a removed element leave the widget where it is", async () => {
  await load();
  const sockets = FakeSocket.all.length;
  document.body = document.createElement("body");
  widget().remove();
  await settled();
  expect(widget().isConnected).toBe(true);
  await settled();
  expect(button("Make smaller")).not.toBeNull();
  expect(FakeSocket.all).toHaveLength(sockets);
});

test("agents learn the page's new title", async () => {
  document.title = "Planes";
  await load();
  document.title = "Chisels";
  await settled();
  expect(told()!.page).toBe("Chisels");
});

test("the visitor makes the widget small, and the next page remembers it", async () => {
  await load();
  button("Make smaller")!.click();
  await settled();
  expect(button("Talk to us, face to face")!.matches("button.launcher")).toBe(true);
  api.destroy();
  await load();
  button("Talk to us, face to face")!.click();
  await settled();
  expect(shown().querySelector("#video")).not.toBeNull();
});

test("a widget can be made small while nobody is on duty", async () => {
  await load();
  FakeSocket.latest.receive({ ...AVAILABLE, isStaffed: false });
  await settled();
  button("Make smaller")!.click();
  await settled();
  expect(shown().querySelector(".launcher")).not.toBeNull();
});

test("on a small screen the round button comes first", async () => {
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  await load();
  expect(shown().querySelector(".launcher")).not.toBeNull();
  api.show();
  await settled();
  expect(shown().querySelector("#video")).not.toBeNull();
});

test("a hidden widget comes back for an invitation", async () => {
  await load();
  api.hide();
  await settled();
  expect(shown().querySelector("button")).toBeNull();
  FakeSocket.latest.receive({ type: "invited", invitation: "i", agentName: "Grace", media: "audio" });
  await settled();
  expect(shown().textContent).toContain("Grace");
});

test("keys typed into the widget do not reach the page's shortcuts", async () => {
  await load();
  const shortcut = vi.fn();
  document.addEventListener("keydown", shortcut);
  shown()
    .querySelector("#video")!
    .dispatchEvent(new KeyboardEvent("keydown", { key: "k", bubbles: true, composed: true }));
  expect(shortcut).not.toHaveBeenCalled();
});

test("destroy ends the connection and lets the script be loaded again", async () => {
  await load();
  const socket = FakeSocket.latest;
  api.destroy();
  expect(socket.readyState).toBeGreaterThanOrEqual(FakeSocket.CLOSING);
  expect(document.querySelector("visavis-widget")).toBeNull();
  expect(window.visavis).toBeUndefined();
});

test("the script tag says where the widget stands", async () => {
  await load([], { position: "left", offset: "8,72" });
  expect(widget().hasAttribute("left")).toBe(true);
  const { style } = widget() as HTMLElement;
  expect([style.getPropertyValue("--offset-x"), style.getPropertyValue("--offset-y")]).toEqual([
    "8px",
    "72px",
  ]);
});

test("a wrong data-site is said in the console once, and nothing is tried again", async () => {
  api = {} as VisavisApi;
  window.visavis = api;
  start({ origin: "https://chat.example", site: "77" }, api, []);
  FakeSocket.latest.open();
  FakeSocket.latest.drop(1008, "There is no such site.");
  vi.advanceTimersByTime(600_000);
  await settled();

  expect(complaints).toEqual([
    'visavis: data-site="77" at https://chat.example was refused: There is no such site. The widget stays hidden.',
  ]);
  expect(FakeSocket.all).toHaveLength(1);
  expect(shown().querySelector("button")).toBeNull();
});
