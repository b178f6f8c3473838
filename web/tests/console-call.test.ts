// The console during and after a call: transfer, recording, lines that were not sent, notifications.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AgentSession } from "../src/agent/agent-session";
import { Announcer } from "../src/agent/announcer";
import "../src/agent/console";
import type { Console } from "../src/agent/console";
import { click, drawn, enter, mount, SESSION, textOf } from "./dom";
import { FakeSocket } from "./fakes";
import { agentPage, connectedAgent, expectNoCall } from "./pages";

const TEAM = {
  type: "team",
  members: [
    { agentId: 1, name: "Bo", state: "available" },
    { agentId: 2, name: "Cy", state: "available" },
    { agentId: 3, name: "Di", state: "busy" },
  ],
};

const openConsole = async (agentSession: AgentSession) => {
  const page = await mount<Console>("visavis-console", { agentSession });
  page.agentSession?.close();
  page.agentSession = agentSession;
  await drawn(page);
  const root = page.shadowRoot!;
  const tell = async (message: object): Promise<void> => {
    FakeSocket.all[0]!.receive({ callId: "c1", ...message });
    await drawn(page);
  };
  const press = async (selector: string): Promise<void> => {
    click(root, selector);
    await drawn(page);
  };
  return { page, root, tell, press };
};

beforeEach(() => {
  Object.assign(Announcer, { canNotify: false });
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  vi.stubGlobal("fetch", (url: string) =>
    url === "/session" ? Promise.resolve(Response.json(SESSION)) : new Promise(() => {}),
  );
});
afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

const team = (root: ParentNode) =>
  [...root.querySelectorAll<HTMLLIElement>(".team li")].map((item) => ({
    text: textOf(item),
    button: item.querySelector("button")!,
  }));

test("a call is transferred to a colleague who is free, with a note", async () => {
  const agentSession = await connectedAgent();
  const { root, tell, press } = await openConsole(agentSession);
  await tell(TEAM);
  expect(root.querySelector<HTMLElement>(".team")!.hidden).toBe(true);
  await press("#transfer");
  expect(root.querySelector<HTMLElement>(".team")!.hidden).toBe(false);
  expect(team(root).map(({ text, button }) => [text, button.disabled])).toEqual([
    ["Cy Available Ring", false],
    ["Di Busy Ring", true],
  ]);
  enter(root, "input[name=note]", "Wants a refund");
  await press(".team li button");
  expect(FakeSocket.all[0]!.ofType("transfer")).toEqual([
    { type: "transfer", callId: "c1", agentId: 2, note: "Wants a refund" },
  ]);
  expect(textOf(root.querySelector(".team [role=status]"))).toBe("Ringing Cy …");
  expect(team(root)[0]!.button.disabled).toBe(true);

  await tell({ type: "transferFailed", reason: "missed" });
  expect(textOf(root.querySelector(".notice"))).toContain("Cy did not take the call. It is still yours.");
  expect(team(root)[0]!.button.disabled).toBe(false);
  agentSession.hangUp();
  expectNoCall(agentSession);
});

test("a transfer that still rings after a reconnect is shown again", async () => {
  const agentSession = await connectedAgent();
  const { root, tell, press } = await openConsole(agentSession);
  await tell(TEAM);
  await press("#transfer");
  await press(".team li button");
  agentSession["disconnected"]();
  await tell(TEAM);
  const status = () => textOf(root.querySelector(".team [role=status]"));
  expect(status()).toBe("");
  const mine = { type: "mine", callId: "c1", media: "video", visitorName: "Ann", isRecorded: false };
  const details = { since: "2026-01-01T00:00:00Z", resumeSeconds: 30, visitorEmail: "" };
  await tell({ ...mine, ...details, transferringTo: 2 });
  expect(status()).toBe("Ringing Cy …");
  await tell({ ...mine, ...details, transferringTo: 0 });
  expect(status()).toBe("");
  agentSession.hangUp();
});

test("Escape closes the choice of colleagues and gives the focus back", async () => {
  const agentSession = await connectedAgent();
  const { page, root, press } = await openConsole(agentSession);
  await press("#transfer");
  expect(textOf(root.querySelector(".team"))).toContain("None of your colleagues is on duty.");
  root.querySelector(".team")!.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  await drawn(page);
  expect(root.querySelector<HTMLElement>(".team")!.hidden).toBe(true);
  expect(root.activeElement?.id).toBe("transfer");
  agentSession.hangUp();
});

test("the recording button starts, pauses and resumes, as the recording stands", async () => {
  const agentSession = await connectedAgent();
  const { root, tell, press } = await openConsole(agentSession);
  const label = () => root.querySelector("#record")!.getAttribute("aria-label");
  const since = "2026-01-01T00:00:00Z";
  const labels = [label()];
  await press("#record");
  for (const state of ["on", "paused"]) {
    await tell({ type: "recording", state, since });
    labels.push(label());
    await press("#record");
  }
  expect(labels).toEqual(["Start recording", "Pause recording", "Resume recording"]);
  expect(FakeSocket.all[0]!.ofType("record").map(({ action }) => action)).toEqual([
    "start",
    "pause",
    "resume",
  ]);
  agentSession.hangUp();
});

test("lines that the visitor never received can be copied after the call", async () => {
  const writeText = vi.fn(() => Promise.resolve());
  Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });
  const agentSession = await connectedAgent();
  const { root, tell, press } = await openConsole(agentSession);
  agentSession.conversation!.say("Your order is on its way.");
  await tell({ type: "ended", reason: "hungUp", by: "visitor" });
  const notice = () => [...root.querySelectorAll(".notice")].find((one) => one.querySelector("blockquote"));
  expect(textOf(notice()!)).toContain("The call ended before this was sent to the visitor:");
  await press(".notice span button");
  expect(writeText).toHaveBeenCalledWith("Your order is on its way.");
  expect(textOf(notice()!.querySelector("span button"))).toBe("Copied");
  await press(".notice span button.round");
  expect(notice()).toBeUndefined();
  expectNoCall(agentSession);
});

test("a notice is shown until it is dismissed", async () => {
  const agentSession = await connectedAgent();
  const { root, tell, press } = await openConsole(agentSession);
  await tell({ type: "ended", reason: "failed", by: "system" });
  expect(textOf(root.querySelector(".notice"))).toBe("The connection was lost.");
  await press(".notice button");
  expect(root.querySelector(".notice")).toBeNull();
});

test("an agent decides with one switch whether calls ring, and cannot while the server is away", async () => {
  const agentSession = await agentPage();
  const { page, root } = await openConsole(agentSession);
  const presence = () => root.querySelector<HTMLInputElement>(".presence input")!;
  expect([presence().checked, presence().disabled]).toEqual([true, false]);
  presence().checked = false;
  presence().dispatchEvent(new Event("change"));
  expect(FakeSocket.all[0]!.ofType("presence")).toEqual([{ type: "presence", isAvailable: false }]);
  FakeSocket.all[0]!.drop();
  await drawn(page);
  expect([presence().checked, presence().disabled]).toEqual([false, true]);
});

test("notifications are offered until the agent has decided", async () => {
  const notification = { permission: "default", requestPermission: vi.fn(() => Promise.resolve("granted")) };
  vi.stubGlobal("Notification", notification);
  Object.assign(Announcer, { canNotify: true });
  const { page, root } = await openConsole(await agentPage());
  const offer = () =>
    [...root.querySelectorAll("button")].find((one) => textOf(one) === "Notify me when it rings");
  expect(offer()).toBeDefined();
  notification.requestPermission.mockImplementation(() => {
    notification.permission = "granted";
    return Promise.resolve("granted");
  });
  offer()!.click();
  await drawn(page);
  expect(notification.requestPermission).toHaveBeenCalledOnce();
  expect(offer()).toBeUndefined();
});

test("the page of a join link is the console for that one call, without a session", async () => {
  history.replaceState(null, "", "/join/agent/secret");
  await import("../src/agent/join-console");
  const page = document.querySelector<Console>("visavis-console")!;
  const root = await drawn(page);
  expect(page.join).toBe("secret");
  expect(FakeSocket.latest.url).toContain("/signaling/agent?join=secret");
  expect(root.querySelector("visavis-call-history, aside, .presence")).toBeNull();
  history.replaceState(null, "", "/");
});
