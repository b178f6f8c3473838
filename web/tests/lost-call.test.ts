import { expect, test, vi } from "vitest";
import { settled } from "./fakes";
import {
  AVAILABLE,
  callState,
  connectedAgent,
  connectedVisitor,
  expectNoCall,
  placedCall,
  reconnect,
  refuse,
  ring,
  agentPage,
  visitorPage,
} from "./pages";
import { FakeSocket } from "./fakes";

const STATES = ["queued", "ringing", "accepted", "connecting", "connected", "reconnecting"];

test.each(STATES)("a visitor's call that the server no longer has ends while it is %s", async (state) => {
  const { visitor, told } = await placedCall();
  FakeSocket.latest.receive(callState("c1", state));
  await settled();

  await reconnect();
  expect(FakeSocket.latest.ofType("resume")).toMatchObject([{ callId: "c1", secret: "s" }]);
  refuse("c1", "EntityNotFound");

  expectNoCall(visitor);
  expect(visitor.stage).toBe("ended");
  expect(visitor.notice).not.toBe("");
  expect(told.filter(([name]) => name === "ended")).toEqual([
    ["ended", { callId: "c1", reason: "failed", by: "visitor" }],
  ]);
});

test.each(STATES.slice(2))(
  "an agent's call that the server no longer has ends while it is %s",
  async (state) => {
    const agentSession = await connectedAgent();
    FakeSocket.latest.receive(callState("c1", state));
    await settled();

    await reconnect();
    refuse("c1", "EntityNotFound");
    FakeSocket.latest.receive(ring("c2"));

    expect(agentSession.ringing.map(({ callId }) => callId)).toEqual(["c2"]);
    FakeSocket.latest.receive({ type: "ringStopped", callId: "c2", reason: "cancelled" });
    expectNoCall(agentSession);
    agentSession.close();
  },
);

test("a call that was lost before the server had named it ends", async () => {
  const { visitor, told } = await visitorPage();
  await visitor.prepare("video");
  await visitor.call(false);
  expect(visitor.stage).toBe("calling");

  await reconnect();

  expectNoCall(visitor);
  expect([visitor.stage, told.filter(([name]) => name === "ended").length]).toEqual(["ended", 1]);
});

test("a call that another page of the same party has now ends here", async () => {
  const agentSession = await connectedAgent();

  refuse("c1", "PermissionDenied");

  expectNoCall(agentSession);
  agentSession.close();
});

test("a call that is placed on a dead connection is placed once the page is connected again", async () => {
  FakeSocket.answersPings = false;
  const { visitor } = await visitorPage();
  await visitor.prepare("video");
  const calling = visitor.call(false);
  await settled();
  const dead = FakeSocket.latest;
  expect(dead.ofType("ping")).toHaveLength(1);

  vi.advanceTimersByTime(4_000);
  expect(dead.onmessage).toBeNull();
  vi.advanceTimersByTime(1_000);
  FakeSocket.latest.open();
  FakeSocket.latest.receive(AVAILABLE);
  await calling;

  expect(dead.ofType("call")).toEqual([]);
  expect(FakeSocket.latest.ofType("call")).toMatchObject([{ media: "video" }]);
  expect(visitor.stage).toBe("calling");
  visitor.hangUp();
  expectNoCall(visitor);
});

const PARTIES: [string, () => Promise<{ hangUp(): void; close(): void; notice: string }>][] = [
  ["a visitor", async () => (await connectedVisitor()).visitor],
  ["an agent", connectedAgent],
];

test.each(PARTIES)(
  "%s who hangs up on a dead connection has hung up once it is replaced",
  async (_, join) => {
    const page = await join();
    FakeSocket.answersPings = false;
    const dead = FakeSocket.latest;
    page.hangUp();
    expect(dead.ofType("hangUp")).toMatchObject([{ callId: "c1" }]);

    vi.advanceTimersByTime(5_000);
    expect(FakeSocket.latest).not.toBe(dead);
    FakeSocket.latest.open();
    for (const type of ["resume", "hangUp"])
      expect(FakeSocket.latest.ofType(type)).toMatchObject([{ callId: "c1" }]);
    FakeSocket.latest.receive({ type: "ended", callId: "c1", reason: "hungUp", by: "visitor" });

    await reconnect();
    expect(FakeSocket.latest.ofType("hangUp")).toEqual([]);
    page.close();
  },
);

test.each(PARTIES)("%s is not told that a call that was hung up is over already", async (_, join) => {
  const page = await join();
  page.hangUp();
  const { notice } = page;
  await reconnect();
  expect(FakeSocket.latest.ofType("hangUp")).toMatchObject([{ callId: "c1" }]);
  refuse("c1", "EntityNotFound");
  expect(page.notice).toBe(notice);

  await reconnect();
  expect(FakeSocket.latest.ofType("hangUp")).toEqual([]);
  page.close();
});

test("a call that was transferred while its page was disconnected is the colleague's", async () => {
  const agentSession = await connectedAgent();

  await reconnect();
  const refusal = { error: "PermissionDenied", code: "CallOfColleague", message: "" };
  FakeSocket.latest.receive({ type: "refused", callId: "c1", ...refusal });

  expectNoCall(agentSession);
  expect(agentSession.notice).toBe("Your colleague has the call now.");
  agentSession.close();
});

test("a refusal that is not about the whole call leaves it alone", async () => {
  const { visitor } = await connectedVisitor();

  FakeSocket.latest.receive({ type: "refused", callId: "c1", error: "TooManyRequests", message: "Slower." });
  refuse("another", "EntityNotFound");

  expect(visitor.stage).toBe("connected");
  visitor.hangUp();
  expectNoCall(visitor);
});

test("an agent whose devices are still being opened takes the call up again after a reconnect", async () => {
  const agentSession = await agentPage();
  FakeSocket.latest.receive({
    type: "mine",
    callId: "c1",
    media: "video",
    visitorName: "Ann",
    isRecorded: false,
    since: "",
    resumeSeconds: 30,
  });
  await reconnect();

  expect(FakeSocket.latest.ofType("resume")).toMatchObject([{ callId: "c1" }]);
  FakeSocket.latest.receive({ type: "ended", callId: "c1", reason: "abandoned", by: "visitor" });
  await settled();
  expectNoCall(agentSession);
  agentSession.close();
});

test("a call whose server stays away ends after the time for resuming it", async () => {
  const { visitor } = await connectedVisitor();
  const agentSession = await connectedAgent();

  for (const socket of FakeSocket.all) socket.drop();
  await vi.advanceTimersByTimeAsync(31_000);

  expectNoCall(visitor, agentSession);
  visitor.close();
  agentSession.close();
});

test("a call waits for its server as long as the site's settings say", async () => {
  const { visitor } = await placedCall("video", 60);
  const agentSession = await connectedAgent("video", 60);

  for (const socket of FakeSocket.all) socket.drop();
  await vi.advanceTimersByTimeAsync(59_000);
  expect(visitor.conversation).toBeDefined();
  expect(agentSession.hasCall).toBe(true);

  await vi.advanceTimersByTimeAsync(2_000);
  expectNoCall(visitor, agentSession);
  visitor.close();
  agentSession.close();
});

test("attempts to connect that fail do not prolong the time for resuming a call", async () => {
  const { visitor } = await connectedVisitor();
  const agentSession = await connectedAgent();

  for (let second = 0; second < 31; second++) {
    for (const socket of FakeSocket.all) if (socket.readyState < FakeSocket.CLOSING) socket.drop();
    await vi.advanceTimersByTimeAsync(1_000);
  }

  expectNoCall(visitor, agentSession);
  visitor.close();
  agentSession.close();
});
