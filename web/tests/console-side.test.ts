// The side column of the console: who waits, who is on the site's pages, who is on duty.

import { afterEach, expect, test, vi } from "vitest";
import "../src/agent/console-side";
import type { AgentSession } from "../src/agent/agent-session";
import type { ConsoleSide } from "../src/agent/console-side";
import { drawn, mount, textOf } from "./dom";
import { FakeSocket } from "./fakes";
import { agentPage, AVAILABLE, ring } from "./pages";

const NOW = "2026-01-01T00:00:00Z";
const VISITORS = {
  type: "visitors",
  count: 40,
  visitors: [
    { visitorId: "v1", name: "Ann", page: "Chairs", since: NOW },
    { visitorId: "v2", name: "", page: "Lamps", since: NOW },
  ],
};

const openSide = async (agentSession: AgentSession) => {
  const side = await mount<ConsoleSide>("visavis-side", { agentSession });
  const section = (id: string) => side.shadowRoot!.querySelector(`section[aria-labelledby=${id}]`)!;
  const items = (id: string) => [...section(id).querySelectorAll("li")].map(textOf);
  const tell = async (message: object): Promise<void> => {
    FakeSocket.latest.receive(message);
    await drawn(side);
  };
  const invite = (index: number) => section("visitors").querySelectorAll("button")[index]!;
  return { side, section, items, tell, invite };
};

afterEach(() => document.body.replaceChildren());

test("empty lists are told in words", async () => {
  const agentSession = await agentPage();
  const { section } = await openSide(agentSession);
  expect(textOf(section("queue"))).toBe("Queue 0 Nobody is waiting.");
  expect(textOf(section("visitors"))).toContain("There are no visitors on your site right now.");
  expect(textOf(section("team"))).toBe("On duty 0 Nobody is on duty.");
  agentSession.close();
});

test("those who wait are listed with how long they have waited", async () => {
  const agentSession = await agentPage();
  const { side, items, tell } = await openSide(agentSession);
  await tell({ type: "queue", calls: [{ callId: "c1", visitorName: "Cy", media: "audio", since: NOW }] });
  vi.advanceTimersByTime(10_000);
  await drawn(side);
  expect(items("queue")).toEqual(["Cy 0:10"]);
  agentSession.close();
});

test("a visitor is invited once, and the button says so; the count is that of all visitors", async () => {
  const agentSession = await agentPage();
  const { side, section, items, tell, invite } = await openSide(agentSession);
  await tell(VISITORS);
  expect(textOf(section("visitors").querySelector("h2"))).toBe("Visitors on your site 40");
  expect(items("visitors")[1]).toMatch(/^A visitor ?Lamps · 0:00 Invite$/);
  invite(0).click();
  await drawn(side);
  expect(FakeSocket.latest.ofType("invite")).toEqual([{ type: "invite", visitorId: "v1", media: "video" }]);
  expect([textOf(invite(0)), textOf(invite(1))]).toEqual(["Invited", "Invite"]);
  await tell({ type: "refused", error: "EntityNotFound", code: "VisitorGone", message: "" });
  expect(textOf(invite(0))).toBe("Invite");
  expect(agentSession.notice).toBe("That visitor is no longer on the page.");
  agentSession.close();
});

test("nobody can be invited during a call, or while calls are switched off", async () => {
  const agentSession = await agentPage();
  const { side, tell, invite } = await openSide(agentSession);
  await tell(VISITORS);
  expect(invite(0).disabled).toBe(false);
  await tell({ ...AVAILABLE, isEnabled: false });
  expect(invite(0).disabled).toBe(true);
  await tell(AVAILABLE);
  await tell(ring("c1"));
  await agentSession.accept(agentSession.ringing[0]!, "audio");
  await drawn(side);
  expect(invite(0).disabled).toBe(true);
  agentSession.hangUp();
  agentSession.close();
});

test("the team is listed with each agent's state, and lists are empty while the server is away", async () => {
  const agentSession = await agentPage();
  const { side, items, tell } = await openSide(agentSession);
  await tell({
    type: "team",
    members: [
      { agentId: 1, name: "Bo", state: "available" },
      { agentId: 2, name: "Cy", state: "busy" },
    ],
  });
  expect(items("team")).toEqual(["Bo (You) Available", "Cy Busy"]);
  FakeSocket.latest.drop();
  await drawn(side);
  expect(items("team")).toEqual([]);
  agentSession.close();
});
