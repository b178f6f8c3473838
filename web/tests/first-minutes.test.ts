// The pages of a person who has just started the product say what is switched off, and where it is switched on.

import { afterEach, expect, test, vi } from "vitest";
import "../src/agent/console";
import type { Console } from "../src/agent/console";
import { FakeSocket, settled } from "./fakes";
import { AVAILABLE } from "./pages";

type Entry = ["on", string, (detail: object) => void];

afterEach(() => {
  document.body.replaceChildren();
  delete (window as { visavis?: unknown }).visavis;
});

test.each(["before", "after"])("the demo says that calls are off, loaded %s the widget", async (order) => {
  vi.resetModules();
  document.body.innerHTML = '<p id="calls-off" hidden></p><p id="unstaffed" hidden></p>';
  const entries: Entry[] = [];
  if (order === "after") Object.assign(window, { visavis: { push: (entry: Entry) => entries.push(entry) } });
  await import("../src/visitor/demo");
  if (order === "before") entries.push(...(window.visavis as unknown as Entry[]));
  const [, event, listener] = entries[0]!;
  const shown = () => [...document.querySelectorAll("p")].filter(({ hidden }) => !hidden).map(({ id }) => id);

  expect(event).toBe("available");
  listener({ isEnabled: false, isStaffed: false });
  expect(shown()).toEqual(["calls-off"]);
  listener({ isEnabled: true, isStaffed: false });
  expect(shown()).toEqual(["unstaffed"]);
  listener({ isEnabled: true, isStaffed: true });
  expect(shown()).toEqual([]);
});

test("links of the demo to pages that the agent may not open are hidden", async () => {
  vi.resetModules();
  const session = { agentName: "Bo", email: "b@example.com", siteId: 1, permissions: ["Manage Settings"] };
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json(session)));
  document.body.innerHTML = `<p id="calls-off" hidden><a data-page="/admin"></a></p>
    <p id="unstaffed" hidden><a data-page="/console"></a></p>`;
  await import("../src/visitor/demo");
  const [[, , listener]] = window.visavis as unknown as [Entry];
  listener({ isEnabled: true, isStaffed: false });
  await settled();
  const links = [...document.querySelectorAll<HTMLElement>("[data-page]")];
  expect(links.map(({ dataset, hidden }) => [dataset["page"], hidden])).toEqual([
    ["/admin", false],
    ["/console", true],
  ]);
});

test.each([
  [["Accept Audio & Video Chats", "Manage Settings"], true],
  [["Accept Audio & Video Chats"], false],
])("the console links to the switch for those who may use it: %j", async (permissions, isLinked) => {
  const session = { agentName: "Bo", email: "b@example.com", siteId: 1, permissions };
  vi.stubGlobal("fetch", () =>
    Promise.resolve({ ok: true, json: () => Promise.resolve({ ...session, audioVideoChats: [] }) }),
  );
  const page = document.createElement("visavis-console") as Console;
  document.body.append(page);
  await settled();
  FakeSocket.latest.open();
  FakeSocket.latest.receive({
    type: "welcome",
    agentId: 1,
    agentName: "Bo",
    siteId: 1,
    mayAcceptCalls: true,
    now: "2026-01-01T00:00:00Z",
    isAvailable: true,
  });
  FakeSocket.latest.receive({ ...AVAILABLE, isEnabled: false });
  await page.updateComplete;

  const status = page.renderRoot.querySelector('main [role="status"]')!;
  expect(status.textContent).toContain("Audio & Video Chat is switched off");
  expect(status.querySelector('a[href="/admin"]') !== null).toBe(isLinked);
  page.agentSession!.close();
});
