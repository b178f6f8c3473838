import { expect, test } from "vitest";
import "../src/call/chat-view";
import type { ChatView } from "../src/call/chat-view";
import { VisitorSession } from "../src/visitor/visitor-session";
import { FakeSocket, settled } from "./fakes";
import {
  AVAILABLE,
  agentPage,
  connectedAgent,
  connectedVisitor,
  expectNoCall,
  placedCall,
  reconnect,
  ring,
  visitorPage,
} from "./pages";

const AT = "2026-01-01T00:00:01Z";

/** The visitor's call was missed, and they write a message. */
const leftMessage = async () => {
  const page = await placedCall();
  FakeSocket.latest.receive({ type: "ended", callId: "c1", reason: "missed", by: "system" });
  page.visitor.leaveMessage("Call me back");
  return page;
};

test("a message is thanked for only when the server has it", async () => {
  const { visitor } = await leftMessage();
  expect(visitor.notice).toBe("Your message is being sent …");

  FakeSocket.latest.receive({ type: "messageKept", callId: "c1" });

  expect(visitor.notice).toContain("Thank you");
  expectNoCall(visitor);
  await reconnect();
  expect(FakeSocket.latest.ofType("leaveMessage")).toEqual([]);
});

test("a message that was written while the socket was down is sent when it is back", async () => {
  const { visitor } = await placedCall();
  FakeSocket.latest.receive({ type: "ended", callId: "c1", reason: "missed", by: "system" });
  FakeSocket.latest.drop();

  visitor.leaveMessage("Call me back");
  await reconnect();

  expect(FakeSocket.latest.ofType("leaveMessage")).toMatchObject([{ callId: "c1", text: "Call me back" }]);
});

test("a message survives a reload", async () => {
  const first = await leftMessage();
  first.visitor.close();

  const { visitor } = await visitorPage();

  expect(FakeSocket.latest.ofType("leaveMessage")).toMatchObject([{ callId: "c1", text: "Call me back" }]);
  FakeSocket.latest.receive({ type: "messageKept", callId: "c1" });
  expect(visitor.notice).toContain("Thank you");
});

test("a message that the server refuses can be written again", async () => {
  const { visitor } = await leftMessage();

  FakeSocket.latest.receive({
    type: "refused",
    callId: "c1",
    error: "CallNotPossible",
    code: "MessageNotPossible",
    message: "No.",
  });

  expect(visitor.notice).toBe("No message can be left for this call.");
  expect(visitor.hasLeftMessage).toBe(false);
});

test("a chat line is sent again after a reconnect until it is acknowledged", async () => {
  const { visitor } = await connectedVisitor();
  const conversation = visitor.conversation!;
  FakeSocket.latest.drop();
  conversation.say("Hello?");
  expect(conversation.pending).toMatchObject([{ text: "Hello?" }]);

  await reconnect();
  const types = FakeSocket.latest.sent.map(({ type }) => type);
  expect(types.indexOf("say")).toBeGreaterThan(types.indexOf("resume"));
  const { id } = FakeSocket.latest.ofType("say")[0]!;
  FakeSocket.latest.receive({ type: "said", callId: "c1", by: "visitor", text: "Hello?", at: AT, id });
  FakeSocket.latest.receive({ type: "said", callId: "c1", by: "visitor", text: "Hello?", at: AT, id });
  await settled();

  expect(conversation.pending).toEqual([]);
  expect(conversation.lines).toHaveLength(1);
  visitor.hangUp();
  expectNoCall(visitor);
});

test("an unacknowledged chat line survives a reload", async () => {
  const first = await connectedVisitor();
  first.visitor.conversation!.say("Hello?");
  dispatchEvent(new Event("pagehide"));
  first.visitor.close();

  const { visitor } = await visitorPage();
  await settled();

  expect(visitor.conversation!.pending).toMatchObject([{ text: "Hello?" }]);
  expect(FakeSocket.latest.ofType("say")).toMatchObject([{ text: "Hello?" }]);
  visitor.hangUp();
  expectNoCall(visitor);
});

test("a line that the server does not take is shown as not sent", async () => {
  const agentSession = await connectedAgent();
  const conversation = agentSession.conversation!;
  conversation.say("One too many");
  const id = conversation.pending[0]!.id;

  FakeSocket.latest.receive({
    type: "refused",
    callId: "c1",
    id,
    error: "TooManyRequests",
    message: "Enough.",
  });

  expect(conversation.pending).toMatchObject([{ isRefused: true }]);
  expect(agentSession.hasCall).toBe(true);
  agentSession.hangUp();
  expectNoCall(agentSession);
  agentSession.close();
});

test("a transcript brings the lines that were missed", async () => {
  const agentSession = await connectedAgent();
  FakeSocket.latest.receive({ type: "said", callId: "c1", by: "visitor", text: "One", at: AT, id: "1" });

  FakeSocket.latest.receive({
    type: "transcript",
    callId: "c1",
    lines: [
      { by: "visitor", text: "One", at: AT, id: "1" },
      { by: "visitor", text: "Two", at: "2026-01-01T00:00:02Z", id: "2" },
    ],
  });
  await settled();

  expect(agentSession.conversation!.lines.map(({ text }) => text)).toEqual(["One", "Two"]);
  agentSession.hangUp();
  expectNoCall(agentSession);
  agentSession.close();
});

test("a transferred call comes with the visitor's address and the colleague's note", async () => {
  const agentSession = await agentPage();
  FakeSocket.latest.receive(
    ring("c1", { visitorEmail: "ann@example.com", transferredBy: "Cy", note: "Wants a refund" }),
  );

  await agentSession.accept(agentSession.ringing[0]!, "audio");

  expect(agentSession.conversation!.details).toEqual({
    visitorEmail: "ann@example.com",
    transferredBy: "Cy",
    note: "Wants a refund",
  });
  FakeSocket.latest.receive({ type: "ringStopped", callId: "c1", reason: "accepted" });
  agentSession.hangUp();
  expectNoCall(agentSession);
  agentSession.close();
});

test("a screen that is shared goes on over the next link", async () => {
  const { visitor } = await connectedVisitor();
  await visitor.own!.share();

  FakeSocket.latest.receive({ type: "connect", callId: "c1", link: 2 });
  await settled();

  expect(FakeSocket.latest.ofType("offer").at(-1)).toMatchObject({ link: 2, screenMid: "2" });
  visitor.hangUp();
  expectNoCall(visitor);
});

test("while nobody is on duty a message is offered instead of a call", async () => {
  const { visitor } = await visitorPage();
  FakeSocket.latest.receive({ ...AVAILABLE, isStaffed: false });

  await visitor.prepare("video");
  expect([visitor.stage, visitor.reason]).toEqual(["ended", "unattended"]);
  expectNoCall(visitor);
  visitor.leaveMessage("Call me back");

  const [sent] = FakeSocket.latest.ofType("leaveMessage");
  expect(sent).toMatchObject({ callId: "", text: "Call me back" });
  expect(sent!.id).not.toBe("");
  FakeSocket.latest.receive({ type: "messageKept", callId: "" });
  expect(visitor.notice).toContain("Thank you");
});

test("the address of one call is called also while the site is unstaffed", async () => {
  const visitor = new VisitorSession("ws://example.com/signaling/visitor?join=x", "call", () => undefined);
  FakeSocket.latest.open();
  FakeSocket.latest.receive({ ...AVAILABLE, isStaffed: false });

  await visitor.prepare("audio");

  expect(visitor.stage).toBe("checking");
  visitor.hangUp();
  await settled();
  expectNoCall(visitor);
});

test("a line is shown as being sent until the server has it, and as not sent if it is refused", async () => {
  const { visitor } = await connectedVisitor();
  const chat = document.createElement("visavis-chat") as ChatView;
  chat.conversation = visitor.conversation!;
  document.body.append(chat);
  const shown = async (): Promise<string> => {
    await settled();
    chat.requestUpdate();
    await chat.updateComplete;
    return chat.renderRoot.querySelector('[role="log"]')!.textContent.replace(/\s+/g, " ");
  };
  visitor.conversation!.say("Hello?");
  expect(await shown()).toMatch(/Hello\?.*Sending|Sending.*Hello\?/i);
  const { id } = visitor.conversation!.pending[0]!;
  FakeSocket.latest.receive({ type: "said", callId: "c1", by: "visitor", text: "Hello?", at: AT, id });
  expect(await shown()).not.toMatch(/sending/i);

  visitor.conversation!.say("One too many");
  const [line] = visitor.conversation!.pending;
  const refusal = { error: "TooManyRequests", message: "Enough." };
  FakeSocket.latest.receive({ type: "refused", callId: "c1", id: line!.id, ...refusal });
  expect(await shown()).toMatch(/not sent/i);
  chat.remove();
  visitor.hangUp();
  expectNoCall(visitor);
});
