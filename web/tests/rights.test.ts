import { expect, test, vi } from "vitest";
import { AgentSession } from "../src/agent/agent-session";
import { FakeSocket, settled } from "./fakes";
import { agentPage, connectedAgent, connectedVisitor, expectNoCall } from "./pages";

test("an agent whose rights have ended is out of the call at once", async () => {
  const agentSession = await connectedAgent();

  FakeSocket.latest.drop(1008);
  await settled();

  expectNoCall(agentSession);
  expect(agentSession.notice).toContain("signed out");
  agentSession.close();
});

test("an agent whose network has gone stays in the call", async () => {
  const agentSession = await connectedAgent();

  FakeSocket.latest.drop(1006);
  await settled();

  expect(agentSession.hasCall).toBe(true);
  agentSession.hangUp();
  expectNoCall(agentSession);
  agentSession.close();
});

test("a console that the server refuses goes on trying: the agent may sign in in another tab", async () => {
  const agentSession = await agentPage();

  FakeSocket.latest.drop(1008, "Sign in again.");
  vi.advanceTimersByTime(1_000);

  expect(FakeSocket.all).toHaveLength(2);
  agentSession.close();
});

test("the page of a join link that is over says so and stops", () => {
  const agentSession = new AgentSession("ws://example.com?join=x", "desk", true);
  FakeSocket.latest.open();

  FakeSocket.latest.drop(1008, "There is no such call.");
  vi.advanceTimersByTime(600_000);

  expect(agentSession.state).toBe("over");
  expect(FakeSocket.all).toHaveLength(1);
  agentSession.close();
});

test("a visitor in a call whose page is refused is out of it, and nothing is tried again", async () => {
  const { visitor } = await connectedVisitor();

  FakeSocket.latest.drop(1008, "There is no such site.");
  vi.advanceTimersByTime(600_000);

  expectNoCall(visitor);
  expect(visitor.availability.isEnabled).toBe(false);
  expect(FakeSocket.all).toHaveLength(1);
});

test("a server that lets pages in only to close them is not asked twice a second", () => {
  const agentSession = new AgentSession("ws://example.com", "desk");
  for (let seconds = 0; seconds < 600; seconds += 1) {
    if (FakeSocket.latest.readyState === FakeSocket.CONNECTING) {
      FakeSocket.latest.open();
      FakeSocket.latest.drop(1008, "Sign in again.");
    }
    vi.advanceTimersByTime(1_000);
  }

  expect(FakeSocket.all.length).toBeLessThan(40);
  agentSession.close();
});
