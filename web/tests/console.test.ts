// The console as an agent sees it: what rings, what is said of their state, and what a transfer brings.

import { afterEach, expect, test, vi } from "vitest";
import type { AgentSession } from "../src/agent/agent-session";
import { Announcer } from "../src/agent/announcer";
import "../src/agent/console";
import type { Console } from "../src/agent/console";
import type { RingCard } from "../src/agent/ring-card";
import { FakeSocket, settled } from "./fakes";
import { agentPage, AVAILABLE, callState, connectedAgent, expectNoCall, ring } from "./pages";

const AT = "2026-01-01T00:00:01Z";

const openConsole = async (agentSession: AgentSession) => {
  vi.stubGlobal("fetch", () => new Promise(() => undefined));
  const page = document.createElement("visavis-console") as Console;
  page.agentSession = agentSession;
  document.body.append(page);
  const root = page.shadowRoot!;
  const shown = async (): Promise<ShadowRoot> => {
    await settled();
    page.requestUpdate();
    await page.updateComplete;
    return root;
  };
  const status = async (): Promise<string> =>
    (await shown()).querySelector('main [role="status"]')!.textContent.replace(/\s+/g, " ").trim();
  await shown();
  return { shown, status };
};

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("a ring card is drawn also where notifications throw", async () => {
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  const construct = vi.fn(() => {
    throw new TypeError("Illegal constructor.");
  });
  vi.stubGlobal("Notification", Object.assign(construct, { permission: "granted" }));
  Object.assign(Announcer, { canNotify: true });
  const agentSession = await agentPage();
  const { shown } = await openConsole(agentSession);

  FakeSocket.latest.receive(ring("c1"));
  const cards = (await shown()).querySelector<RingCard>("visavis-rings")!;
  await cards.updateComplete;

  expect(construct).toHaveBeenCalled();
  expect(cards.renderRoot.querySelectorAll("[data-accept]")).toHaveLength(2);
  FakeSocket.latest.receive({ type: "ringStopped", callId: "c1", reason: "cancelled" });
  expectNoCall(agentSession);
  agentSession.close();
});

test("one line says whether calls ring here: online, away, in a call, off, reconnecting", async () => {
  const agentSession = await connectedAgent();
  const { status } = await openConsole(agentSession);
  expect(await status()).toBe("You are in a call: further calls do not ring here until it ends.");
  const call = { callId: "c2", visitorName: "Cy", media: "audio", since: AT };
  FakeSocket.latest.receive({ type: "queue", calls: [call] });
  expect(await status()).toContain("1 caller is waiting in the queue.");
  agentSession.hangUp();
  expect(await status()).toBe("You are online: calls ring here.");
  FakeSocket.latest.receive({ type: "presence", isAvailable: false });
  expect(await status()).toBe("You are away: no calls ring here until you are available again.");
  FakeSocket.latest.receive({ ...AVAILABLE, isEnabled: false });
  expect(await status()).toContain("switched off");
  FakeSocket.latest.drop();
  expect(await status()).toContain("The connection to the server was lost.");
  expectNoCall(agentSession);
  agentSession.close();
});

test("a transferred call brings its recording state, text and details", async () => {
  const agentSession = await agentPage();
  const { shown } = await openConsole(agentSession);
  FakeSocket.latest.receive(
    ring("c1", { visitorEmail: "ann@example.com", transferredBy: "Cy", note: "Refund" }),
  );
  await agentSession.accept(agentSession.ringing[0]!, "audio");
  FakeSocket.latest.receive({ type: "ringStopped", callId: "c1", reason: "accepted" });
  FakeSocket.latest.receive({ type: "recording", callId: "c1", state: "on", since: AT, by: "system" });
  const line = { by: "visitor", text: "My order is 77", at: AT, id: "1" };
  FakeSocket.latest.receive({ type: "transcript", callId: "c1", lines: [line] });
  FakeSocket.latest.receive(callState("c1", "connected"));

  const root = await shown();
  expect(root.querySelector("#record")!.getAttribute("aria-label")).toBe("Pause recording");
  expect(root.querySelector(".details")!.textContent.replace(/\s+/g, " ")).toContain("Cy: Refund");
  expect(root.querySelector(".details")!.textContent).toContain("ann@example.com");
  expect(agentSession.conversation!.lines.map(({ text }) => text)).toEqual(["My order is 77"]);
  agentSession.hangUp();
  expectNoCall(agentSession);
  agentSession.close();
});
