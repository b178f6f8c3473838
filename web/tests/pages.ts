// The two pages without their elements, connected to a server that is the test.

import { expect, vi } from "vitest";
import { AgentSession } from "../src/agent/agent-session";
import type { Media } from "../src/generated/signaling";
import { VisitorSession } from "../src/visitor/visitor-session";
import { type FakeDevices, FakeSocket, settled } from "./fakes";
import { expectNothingHeld } from "./held";

export const devices = (): FakeDevices => navigator.mediaDevices as unknown as FakeDevices;

const NOW = "2026-01-01T00:00:00Z";

/** Assert that nothing of a call is left: no live track, no ringing, no open connection, no call. */
export const expectNoCall = (...pages: (VisitorSession | AgentSession)[]): void => {
  expectNothingHeld();
  for (const page of pages) {
    expect(page.conversation).toBeUndefined();
    expect(["idle", "ended"]).toContain(page.stage);
    if (page instanceof AgentSession) {
      expect(page.hasCall).toBe(false);
      expect(page.ringing).toEqual([]);
    }
  }
};

export const callState = (callId: string, state: string): object => ({
  type: "callState",
  callId,
  state,
  at: NOW,
  link: 1,
  agentName: "Bo",
  visitorName: "Ann",
});

export const ring = (callId: string, more: object = {}): object => ({
  type: "ring",
  callId,
  media: "video",
  visitorName: "Ann",
  visitorEmail: "",
  isRecorded: false,
  since: NOW,
  resumeSeconds: 30,
  transferredBy: "",
  ...more,
});

export const AVAILABLE = {
  type: "availability",
  isEnabled: true,
  isRecorded: false,
  needsAgreement: false,
  isStaffed: true,
};

/** A visitor's page that the server has greeted, and what its host page was told. */
export const visitorPage = async (): Promise<{ visitor: VisitorSession; told: [string, object][] }> => {
  const told: [string, object][] = [];
  const visitor = new VisitorSession("ws://example.com", "call", (name, detail) => told.push([name, detail]));
  FakeSocket.latest.open();
  FakeSocket.latest.receive(AVAILABLE);
  await settled();
  return { visitor, told };
};

/** The visitor has called; the server has given the call its name. */
export const placedCall = async (media: Media = "video", resumeSeconds = 30) => {
  const page = await visitorPage();
  await page.visitor.prepare(media);
  await page.visitor.call(false);
  FakeSocket.latest.receive({
    type: "calling",
    callId: "c1",
    isRecorded: false,
    secret: "s",
    resumeSeconds,
  });
  await settled();
  return page;
};

export const connectedVisitor = async (media: Media = "video") => {
  const page = await placedCall(media);
  FakeSocket.latest.receive(callState("c1", "connected"));
  await settled();
  return page;
};

export const agentPage = async (): Promise<AgentSession> => {
  const agentSession = new AgentSession("ws://example.com", "desk");
  FakeSocket.latest.open();
  FakeSocket.latest.receive({
    type: "welcome",
    agentId: 1,
    agentName: "Bo",
    siteId: 1,
    mayAcceptCalls: true,
    now: NOW,
    isAvailable: true,
  });
  FakeSocket.latest.receive(AVAILABLE);
  await settled();
  return agentSession;
};

export const connectedAgent = async (media: Media = "video", resumeSeconds = 30): Promise<AgentSession> => {
  const agentSession = await agentPage();
  FakeSocket.latest.receive(ring("c1", { resumeSeconds }));
  await agentSession.accept(agentSession.ringing[0]!, media);
  FakeSocket.latest.receive({ type: "ringStopped", callId: "c1", reason: "accepted" });
  FakeSocket.latest.receive(callState("c1", "connected"));
  await settled();
  return agentSession;
};

/** The socket is lost, and comes back. */
export const reconnect = async (): Promise<void> => {
  FakeSocket.latest.drop();
  vi.advanceTimersByTime(1000);
  FakeSocket.latest.open();
  await settled();
};

export const refuse = (callId: string, error: string): void =>
  FakeSocket.latest.receive({
    type: "refused",
    callId,
    error,
    message: "That call has ended or does not exist.",
  });
