import { expect, test, vi } from "vitest";
import { Announcer } from "../src/agent/announcer";
import type { Ring } from "../src/generated/signaling";
import { Ringer } from "../src/agent/ringer";
import "../src/agent/ring-card";
import type { RingCard } from "../src/agent/ring-card";
import { FakeSocket } from "./fakes";
import { agentPage, connectedAgent, expectNoCall, ring } from "./pages";

const started = vi.fn();
const gain = {
  setValueAtTime: vi.fn(),
  linearRampToValueAtTime: vi.fn(),
  exponentialRampToValueAtTime: vi.fn(),
};
const node = () => {
  const it = { gain, frequency: {}, connect: () => it, disconnect: vi.fn(), start: started, stop: vi.fn() };
  return it;
};

class FakeAudio {
  static state = "suspended";
  currentTime = 0;
  createOscillator = node;
  createGain = node;
  get state(): string {
    return FakeAudio.state;
  }
  resume(): Promise<void> {
    return Promise.resolve();
  }
}

test("tones do not pile up while the browser keeps the page silent", () => {
  vi.stubGlobal("AudioContext", FakeAudio);
  FakeAudio.state = "suspended";
  started.mockReset();
  const ringer = new Ringer();

  ringer.ring(true);
  vi.advanceTimersByTime(60_000);
  expect(started).not.toHaveBeenCalled();
  FakeAudio.state = "running";
  vi.advanceTimersByTime(2000);

  expect(started).toHaveBeenCalledTimes(2);
  ringer.ring(false);
  vi.advanceTimersByTime(60_000);
  expect(started).toHaveBeenCalledTimes(2);
});

test("a browser whose Notification throws rings all the same", () => {
  vi.stubGlobal("AudioContext", FakeAudio);
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  const construct = vi.fn(() => {
    throw new TypeError("Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.");
  });
  vi.stubGlobal("Notification", Object.assign(construct, { permission: "granted" }));
  Object.assign(Announcer, { canNotify: true });
  const announcer = new Announcer("Console");

  announcer.announce([ring("c1") as Ring]);
  announcer.announce([ring("c1") as Ring]);

  expect(document.title).toContain("Ann");
  expect(construct).toHaveBeenCalledTimes(1);
  announcer.announce([]);
  expect(document.title).toBe("Console");
});

test("the card of a call that a colleague took stays in its place, without buttons", async () => {
  const agentSession = await agentPage();
  FakeSocket.latest.receive(ring("c1"));
  FakeSocket.latest.receive(ring("c2", { visitorName: "Bea" }));
  const cards = document.createElement("visavis-rings") as RingCard;
  cards.agentSession = agentSession;
  document.body.append(cards);

  FakeSocket.latest.receive({ type: "ringStopped", callId: "c1", reason: "accepted" });
  await cards.updateComplete;
  const [first, second] = cards.renderRoot.querySelectorAll("li");
  expect(first!.textContent).toContain("A colleague has taken this call.");
  expect(first!.querySelector("div.bar")!.hasAttribute("hidden")).toBe(true);
  expect(second!.querySelector("div.bar")!.hasAttribute("hidden")).toBe(false);
  expect(agentSession.ringing.map(({ callId }) => callId)).toEqual(["c2"]);

  vi.advanceTimersByTime(3000);
  expect(agentSession.rings.map(({ callId }) => callId)).toEqual(["c2"]);
  cards.remove();
  agentSession.close();
});

test("a call that rings again after its card has stopped can be taken", async () => {
  const agentSession = await agentPage();
  FakeSocket.latest.receive(ring("c1"));
  FakeSocket.latest.receive({ type: "ringStopped", callId: "c1", reason: "busy" });
  FakeSocket.latest.receive(ring("c1"));

  vi.advanceTimersByTime(3000);

  expect(agentSession.ringing.map(({ callId }) => callId)).toEqual(["c1"]);
  agentSession.decline(agentSession.ringing[0]!);
  expectNoCall(agentSession);
  agentSession.close();
});

test("the console says the truth about whether calls ring here", async () => {
  const agentSession = await agentPage();
  expect(agentSession.state).toBe("available");
  agentSession.setAvailable(false);
  expect(agentSession.state).toBe("away");
  agentSession.setAvailable(true);
  FakeSocket.latest.receive(ring("c1"));
  await agentSession.accept(agentSession.ringing[0]!, "audio");
  FakeSocket.latest.receive({ type: "ringStopped", callId: "c1", reason: "accepted" });
  expect(agentSession.state).toBe("inCall");
  agentSession.hangUp();
  FakeSocket.latest.receive({ type: "availability", isEnabled: false });
  expect(agentSession.state).toBe("disabled");
  FakeSocket.latest.drop();
  expect(agentSession.state).toBe("reconnecting");
  expectNoCall(agentSession);
  agentSession.close();
});

test("an agent in a call stays in it while another one waits", async () => {
  const agentSession = await connectedAgent();

  FakeSocket.latest.receive({
    type: "queue",
    calls: [{ callId: "c2", visitorName: "Cy", media: "audio", since: "" }],
  });

  expect(agentSession.queue).toHaveLength(1);
  expect(agentSession.state).toBe("inCall");
  agentSession.hangUp();
  expectNoCall(agentSession);
  agentSession.close();
});

test("an agent who is away in another tab is away here", async () => {
  const agentSession = await agentPage();

  FakeSocket.latest.receive({ type: "presence", isAvailable: false });

  expect(agentSession.state).toBe("away");
  agentSession.close();
});
