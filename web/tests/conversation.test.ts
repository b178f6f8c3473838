// A call as its page knows it: its links, its lines, and what the server has told.

import { expect, test, vi } from "vitest";
import { FakePeerConnection, FakeSocket, settled } from "./fakes";
import { callState, connectedAgent, connectedVisitor } from "./pages";

const AT = "2026-01-01T00:00:01Z";
const receive = async (message: object): Promise<void> => {
  FakeSocket.latest.receive({ callId: "c1", ...message });
  await settled();
};
const offer = (link: number) => ({ type: "offer", link, sdp: `offer ${link}`, screenMid: "" });
const relinks = () => FakeSocket.all.flatMap((socket) => socket.ofType("relink")).map(({ link }) => link);

test("a lost link is asked for again every five seconds until another has taken its place", async () => {
  const { visitor } = await connectedVisitor();
  FakePeerConnection.all.at(-1)!.setIceState("failed");
  expect(relinks()).toEqual([1]);
  vi.advanceTimersByTime(5_000);
  expect(relinks()).toEqual([1, 1]);
  await receive({ type: "connect", link: 2 });
  vi.advanceTimersByTime(60_000);
  expect(relinks()).toEqual([1, 1]);
  visitor.hangUp();
  visitor.close();
});

test("a link that flows again is no longer asked for", async () => {
  const { visitor } = await connectedVisitor();
  const connection = FakePeerConnection.all.at(-1)!;
  await receive({ type: "answer", link: 1, sdp: "answer", screenMid: "" });
  connection.setIceState("failed");
  connection.setIceState("connected");
  vi.advanceTimersByTime(60_000);
  expect(relinks()).toEqual([1]);
  visitor.hangUp();
  visitor.close();
});

test("the older link is shown until the newer one is linked, and closed then", async () => {
  const agentSession = await connectedAgent();
  await receive(offer(1));
  await receive({ type: "linked", link: 1 });
  const [first] = FakePeerConnection.all;
  await receive(offer(2));
  const { conversation } = agentSession;
  expect(conversation!.link!.number).toBe(1);
  expect(first!.signalingState).not.toBe("closed");
  await receive({ type: "linked", link: 2 });
  expect(conversation!.link!.number).toBe(2);
  expect(first!.signalingState).toBe("closed");
  agentSession.hangUp();
  agentSession.close();
});

test("an offer of an older link opens none, and a link that is not there is not shown", async () => {
  const agentSession = await connectedAgent();
  await receive(offer(2));
  expect(FakePeerConnection.all).toHaveLength(1);
  await receive(offer(1));
  expect(FakePeerConnection.all).toHaveLength(1);
  await receive({ type: "linked", link: 3 });
  expect(agentSession.conversation!.link!.number).toBe(2);
  agentSession.hangUp();
  agentSession.close();
});

test("the page of a visitor answers offers of its own links only", async () => {
  const { visitor } = await connectedVisitor();
  await receive(offer(7));
  expect(FakePeerConnection.all.filter(({ signalingState }) => signalingState !== "closed")).toHaveLength(1);
  expect(FakeSocket.latest.ofType("answer")).toEqual([]);
  visitor.hangUp();
  visitor.close();
});

test("recording, quality and the other side's name are what was told last", async () => {
  const { visitor } = await connectedVisitor();
  const { conversation } = visitor;
  expect(conversation!.otherName).toBe("Bo");
  await receive({ type: "recording", state: "on", since: AT });
  await receive({ type: "quality", mos: 4, loss: 0, jitter: 1, roundTrip: 2 });
  expect([conversation!.recording?.state, conversation!.quality?.mos]).toEqual(["on", 4]);
  FakeSocket.latest.receive({ ...callState("c1", "connected"), agentName: "" });
  expect(conversation!.otherName).toBe("Bo");
  visitor.hangUp();
  visitor.close();
});

test("of a long conversation the latest 500 lines are kept", async () => {
  const { visitor } = await connectedVisitor();
  for (let id = 1; id <= 510; id += 1)
    FakeSocket.latest.receive({
      type: "said",
      callId: "c1",
      by: "agent",
      text: `${id}`,
      at: AT,
      id: `${id}`,
    });
  const { lines } = visitor.conversation!;
  expect([lines.length, lines[0]!.text, lines.at(-1)!.text]).toEqual([500, "11", "510"]);
  await receive({ type: "transcript", lines: [] });
  expect(visitor.conversation!.lines).toHaveLength(500);
  visitor.hangUp();
  visitor.close();
});
