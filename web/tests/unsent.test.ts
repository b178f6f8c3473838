// Lines that nobody received are named and kept, whatever ends the call.

import { afterEach, expect, test, vi } from "vitest";
import "../src/agent/console";
import type { Console } from "../src/agent/console";
import "../src/call/chat-view";
import type { ChatView } from "../src/call/chat-view";
import { AgentSession } from "../src/agent/agent-session";
import { VisitorSession } from "../src/visitor/visitor-session";
import { Widget } from "../src/visitor/widget";
import { FakeSocket, settled } from "./fakes";
import {
  agentPage,
  callState,
  connectedAgent,
  connectedVisitor,
  expectNoCall,
  placedCall,
  ring,
  visitorPage,
} from "./pages";

const ended = (reason = "hungUp") => ({ type: "ended", callId: "c1", reason, by: "agent" });

afterEach(() => document.body.replaceChildren());

test("lines that were not sent when the call ended go into a message", async () => {
  const { visitor } = await connectedVisitor();
  visitor.conversation!.say("My number is 12345");
  visitor.conversation!.draft = "and my address";
  FakeSocket.latest.receive(ended());

  expect(visitor.unsent).toBe("My number is 12345\nand my address");
  expectNoCall(visitor);
  visitor.leaveMessage(visitor.unsent);
  expect(FakeSocket.latest.ofType("leaveMessage")).toMatchObject([
    { callId: "", text: "My number is 12345\nand my address" },
  ]);
  expect(visitor.unsent).toBe("");
});

test("what has been sent is not offered again", async () => {
  const { visitor } = await connectedVisitor();
  visitor.conversation!.say("Hello");
  const { id } = visitor.conversation!.pending[0]!;
  FakeSocket.latest.receive({ type: "said", callId: "c1", by: "visitor", text: "Hello", at: "", id });
  FakeSocket.latest.receive(ended());

  expect(visitor.unsent).toBe("");
});

test("the widget shows them with the form", async () => {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  const { visitor } = await connectedVisitor();
  visitor.conversation!.say("My number is 12345");
  FakeSocket.latest.receive(ended());
  const widget = new Widget();
  widget.visitor = visitor;
  document.body.append(widget);
  await widget.updateComplete;
  const form = widget.renderRoot.querySelector<Widget>("visavis-message")!;
  await form.updateComplete;

  expect(widget.renderRoot.textContent).toContain("not sent before the call ended");
  expect(form.renderRoot.querySelector("textarea")!.value).toBe("My number is 12345");
});

test("a message that the server does not take stands in the form again", async () => {
  const { visitor } = await placedCall();
  FakeSocket.latest.receive(ended("missed"));
  visitor.leaveMessage("Call me back");
  FakeSocket.latest.receive({
    type: "refused",
    callId: "c1",
    error: "CallNotPossible",
    message: "No message can be left for this call.",
  });

  expect([visitor.unsent, visitor.hasLeftMessage]).toEqual(["Call me back", false]);
});

test("an invitation takes nothing away from a half-written message", async () => {
  const { visitor } = await placedCall();
  FakeSocket.latest.receive(ended("missed"));
  visitor.unsent = "Please call";
  FakeSocket.latest.receive({ type: "invited", invitation: "i", agentName: "Bo", media: "audio" });
  visitor.dismiss();

  expect(visitor.unsent).toBe("Please call");
});

test("a page that comes back too late for its call still has what was written", async () => {
  const first = await connectedVisitor();
  first.visitor.conversation!.draft = "One more thing";
  dispatchEvent(new Event("pagehide"));
  first.visitor.close();
  vi.advanceTimersByTime(60_000);

  const { visitor } = await visitorPage();

  expect([visitor.stage, visitor.unsent]).toEqual(["ended", "One more thing"]);
  expectNoCall(visitor);
});

test("a reload that gets no camera any more still has what was written", async () => {
  const first = await connectedVisitor();
  first.visitor.conversation!.draft = "One more thing";
  dispatchEvent(new Event("pagehide"));
  first.visitor.close();
  Object.assign(navigator.mediaDevices, { microphones: [], cameras: [] });

  const visitor = new VisitorSession("ws://example.com", "call", () => undefined);
  await settled();
  await settled();

  expect([visitor.stage, visitor.unsent]).toEqual(["ended", "One more thing"]);
  expectNoCall(visitor);
});

test("what stands in the field survives closing the panel and a reload", async () => {
  const first = await connectedVisitor();
  const chat = document.createElement("visavis-chat") as ChatView;
  chat.conversation = first.visitor.conversation!;
  document.body.append(chat);
  await chat.updateComplete;
  const input = chat.renderRoot.querySelector("input")!;
  input.value = "Half a sen";
  input.dispatchEvent(new Event("input"));
  chat.remove();
  dispatchEvent(new Event("pagehide"));
  first.visitor.close();

  const { visitor } = await visitorPage();
  await settled();

  expect(visitor.conversation!.draft).toBe("Half a sen");
  visitor.hangUp();
  expectNoCall(visitor);
});

test("an agent's unsent lines are kept until they are dismissed, also over the next call", async () => {
  const agentSession = await connectedAgent();
  agentSession.conversation!.say("The code is 77");
  FakeSocket.latest.receive({ ...ended(), by: "visitor" });
  expectNoCall(agentSession);

  FakeSocket.latest.receive(ring("c2"));
  await agentSession.accept(agentSession.ringing[0]!, "audio");
  expect(agentSession.unsent).toBe("The code is 77");
  agentSession.dismissUnsent();
  expect(agentSession.unsent).toBe("");
  agentSession.hangUp();
  agentSession.close();
});

test("a console that comes back too late has the agent's lines", async () => {
  const first = await connectedAgent();
  first.conversation!.say("The code is 77");
  dispatchEvent(new Event("pagehide"));
  first.close();
  vi.advanceTimersByTime(60_000);

  const agentSession = await agentPage();

  expect(agentSession.unsent).toBe("The code is 77");
  expectNoCall(agentSession);
  agentSession.close();
});

/** A console that shows a agentSession with a connected call. */
const openConsole = async (): Promise<{ page: Console; agentSession: AgentSession }> => {
  vi.stubGlobal("fetch", () => new Promise(() => undefined));
  const agentSession = await connectedAgent();
  const page = document.createElement("visavis-console") as Console;
  page.agentSession = agentSession;
  document.body.append(page);
  FakeSocket.latest.receive({
    type: "team",
    members: [
      { agentId: 1, name: "Bo", state: "busy" },
      { agentId: 2, name: "Cy", state: "available" },
    ],
  });
  await page.updateComplete;
  return { page, agentSession };
};

test("the console shows the agent's unsent lines, to be copied", async () => {
  const { page, agentSession } = await openConsole();
  const writeText = vi.fn().mockResolvedValue(undefined);
  Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });
  agentSession.conversation!.say("The code is 77");
  agentSession.hangUp();
  page.requestUpdate();
  await page.updateComplete;

  const notice = [...page.renderRoot.querySelectorAll(".notice")].at(-1)!;
  expect(notice.querySelector("blockquote")!.textContent).toBe("The code is 77");
  notice.querySelector("button")!.click();
  expect(writeText).toHaveBeenCalledExactlyOnceWith("The code is 77");
  agentSession.close();
});

test("the note of a transfer is sent, and stays while the colleague does not take the call", async () => {
  const { page, agentSession } = await openConsole();
  page.renderRoot.querySelector<HTMLElement>("#transfer")!.click();
  await page.updateComplete;
  const note = page.renderRoot.querySelector<HTMLInputElement>('input[name="note"]')!;
  note.value = "Wants a refund";
  page.renderRoot.querySelector<HTMLElement>(".team li button")!.click();
  expect(FakeSocket.latest.ofType("transfer")).toMatchObject([{ agentId: 2, note: "Wants a refund" }]);

  FakeSocket.latest.receive({ type: "transferFailed", callId: "c1", reason: "declined" });
  page.renderRoot.querySelector<HTMLElement>("#transfer")!.click();
  await page.updateComplete;
  expect(page.renderRoot.querySelector<HTMLInputElement>('input[name="note"]')!.value).toBe("Wants a refund");

  FakeSocket.latest.receive(ended("transferred"));
  FakeSocket.latest.receive(ring("c2"));
  await agentSession.accept(agentSession.ringing[0]!, "audio");
  FakeSocket.latest.receive(callState("c2", "connected"));
  await settled();
  page.requestUpdate();
  await page.updateComplete;
  expect(page.renderRoot.querySelector<HTMLInputElement>('input[name="note"]')!.value).toBe("");
  agentSession.close();
});

test("an agent who is in a call hears each further caller once", async () => {
  const { page, agentSession } = await openConsole();
  const knock = vi.spyOn((page as unknown as { announcer: { knock: () => void } }).announcer, "knock");
  const waiting = (...ids: string[]) => ({
    type: "queue",
    calls: ids.map((callId) => ({ callId, visitorName: "", media: "audio", since: "2026-01-01T00:00:00Z" })),
  });
  const told = async (message: object) => {
    FakeSocket.latest.receive(message);
    await page.updateComplete;
  };

  await told(waiting("c2"));
  await told(waiting("c2"));
  expect(knock).toHaveBeenCalledTimes(1);
  await told(waiting("c2", "c3"));
  expect(knock).toHaveBeenCalledTimes(2);
  await told(waiting("c3"));
  await told(waiting("c3", "c4"));
  expect(knock).toHaveBeenCalledTimes(3);
  await told(waiting("c4", "c5")); // one has gone and another has come
  expect(knock).toHaveBeenCalledTimes(4);
  agentSession.hangUp();
  await told(waiting("c4", "c5", "c6"));
  expect(knock).toHaveBeenCalledTimes(4);
  agentSession.close();
});
