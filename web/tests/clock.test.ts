// Durations: counted from when things arrived, whatever the computer's clock says.

import { expect, test, vi } from "vitest";
import "../src/agent/ring-card";
import type { RingCard } from "../src/agent/ring-card";
import { FakeSocket, settled } from "./fakes";
import { agentPage, connectedAgent, connectedVisitor, ring } from "./pages";
import { AgentSession } from "../src/agent/agent-session";
import { VisitorSession } from "../src/visitor/visitor-session";

const FIVE_MINUTES = 300_000;

test.each([FIVE_MINUTES, -FIVE_MINUTES])(
  "a call that has rung for 3 seconds says so on a computer whose clock is %d ms wrong",
  async (error) => {
    vi.setSystemTime(Date.parse("2026-01-01T00:00:00Z") + error);
    const agentSession = await agentPage();
    FakeSocket.latest.receive(ring("c1"));
    const cards = document.createElement("visavis-rings") as RingCard;
    cards.agentSession = agentSession;
    document.body.append(cards);
    vi.advanceTimersByTime(3_000);
    await cards.updateComplete;

    expect(cards.renderRoot.querySelector(".small [aria-hidden]")!.textContent).toBe("0:03");

    cards.remove();
    agentSession.close();
  },
);

test("a clock that is set during a call does not change how long the call has lasted", async () => {
  const { visitor } = await connectedVisitor();
  vi.advanceTimersByTime(2_000);
  vi.setSystemTime(Date.now() + FIVE_MINUTES);

  expect(visitor.conversation!.seconds).toBe(2);
  visitor.close();
});

test("a reload keeps how long the call has lasted", async () => {
  const { visitor } = await connectedVisitor();
  vi.advanceTimersByTime(5_000);
  dispatchEvent(new Event("pagehide"));
  visitor.close();
  vi.advanceTimersByTime(4_000);

  const again = new VisitorSession("ws://example.com", "call", () => undefined);
  await settled();

  expect(again.conversation!.seconds).toBe(9);
  again.close();
});

test("the agent's console keeps it too", async () => {
  const agentSession = await connectedAgent();
  vi.advanceTimersByTime(5_000);
  dispatchEvent(new Event("pagehide"));
  agentSession.close();

  const again = new AgentSession("ws://example.com", "desk");
  await settled();

  expect(again.conversation!.seconds).toBe(5);
  again.close();
});
