import { expect, test, vi } from "vitest";
import { LocalMedia } from "../src/call/local-media";
import { FakeSocket, FakeTrack, settled } from "./fakes";
import {
  agentPage,
  connectedAgent,
  connectedVisitor,
  devices,
  expectNoCall,
  ring,
  visitorPage,
} from "./pages";

test("a camera that is allowed after another choice was made is released", async () => {
  const { visitor } = await visitorPage();
  devices().isAsking = true;
  void visitor.prepare("video");
  await settled();
  void visitor.openMedia("audio");
  await settled();

  await devices().questions[1]!.allow();
  await devices().questions[0]!.allow();

  expect(FakeTrack.live.map(({ kind }) => kind)).toEqual(["audio"]);
  visitor.hangUp();
  await settled();
  expectNoCall(visitor);
});

test.each(["allow", "fail"] as const)(
  "a prompt that is answered after Cancel leaves nothing live (%s)",
  async (answer) => {
    const { visitor } = await visitorPage();
    devices().isAsking = true;
    void visitor.prepare("video");
    await settled();
    visitor.hangUp();

    await devices().questions[0]![answer]("NotReadableError");

    expect(devices().questions).toHaveLength(1);
    expectNoCall(visitor);
    expect(visitor.stage).toBe("idle");
  },
);

test("Cancel after a reload leaves the call instead of joining it again", async () => {
  const first = await connectedVisitor();
  dispatchEvent(new Event("pagehide"));
  first.visitor.close();
  devices().isAsking = true;
  const { visitor } = await visitorPage();
  expect(visitor.stage).toBe("reconnecting");

  visitor.hangUp();
  await devices().questions.at(-1)!.allow();

  expect(FakeSocket.latest.ofType("hangUp")).toMatchObject([{ callId: "c1" }]);
  expectNoCall(visitor);
});

test("an agent who cancels after a reload leaves the call", async () => {
  const first = await connectedAgent();
  dispatchEvent(new Event("pagehide"));
  first.close();
  devices().isAsking = true;
  const agentSession = await agentPage();
  expect(agentSession.hasCall).toBe(true);

  agentSession.hangUp();
  await devices().questions.at(-1)!.allow();

  expect(FakeSocket.latest.ofType("hangUp")).toMatchObject([{ callId: "c1" }]);
  expectNoCall(agentSession);
  agentSession.close();
});

test("the visitor cancels while the agent's browser asks for the devices", async () => {
  const agentSession = await agentPage();
  FakeSocket.latest.receive(ring("c1"));
  devices().isAsking = true;
  void agentSession.accept(agentSession.ringing[0]!, "video");
  await settled();

  FakeSocket.latest.receive({ type: "ringStopped", callId: "c1", reason: "cancelled" });
  await devices().questions[0]!.allow();

  expectNoCall(agentSession);
  expect(agentSession.notice).toBe("The visitor has cancelled the call.");
  expect(FakeSocket.latest.ofType("accept")).toEqual([]);
  agentSession.close();
});

test("a colleague takes the call while the browser asks for the devices", async () => {
  const agentSession = await agentPage();
  FakeSocket.latest.receive(ring("c1"));
  devices().isAsking = true;
  void agentSession.accept(agentSession.ringing[0]!, "video");
  await settled();

  FakeSocket.latest.receive({ type: "ringStopped", callId: "c1", reason: "accepted" });
  await devices().questions[0]!.fail("NotAllowedError");

  expectNoCall(agentSession);
  expect(agentSession.notice).toBe("A colleague has taken the call.");
  agentSession.close();
});

test("a screen that is picked after the call is not captured", async () => {
  const { visitor } = await connectedVisitor();
  devices().isAsking = true;
  void visitor.own!.share();
  await settled();
  visitor.hangUp();

  await devices().questions[0]!.allow();

  expectNoCall(visitor);
});

test("a double click on Share captures once", async () => {
  const { visitor } = await connectedVisitor("audio");
  devices().isAsking = true;
  void visitor.own!.share();
  void visitor.own!.share();
  await settled();

  expect(devices().questions).toHaveLength(1);
  await devices().questions[0]!.allow();
  expect(FakeTrack.live.filter(({ kind }) => kind === "video")).toHaveLength(1);
  visitor.hangUp();
  expectNoCall(visitor);
});

test("a camera that is switched off before it is allowed stays dark", async () => {
  const { visitor } = await connectedVisitor("audio");
  devices().isAsking = true;
  void visitor.own!.setCamera(true);
  await settled();
  void visitor.own!.setCamera(false);

  await devices().questions[0]!.allow();

  expect(FakeTrack.live.map(({ kind }) => kind)).toEqual(["audio"]);
  visitor.hangUp();
  expectNoCall(visitor);
});

test("the only microphone is unplugged and plugged in again", async () => {
  const own = await LocalMedia.open("audio");
  own.setMuted(true);
  devices().plug([]);
  (own.microphone as unknown as FakeTrack).lose();
  await settled();
  expect(own.trouble).toContain("microphone was disconnected");
  expect(own.microphone).toBeUndefined();

  devices().plug(["mic-2"]);
  await settled();

  expect(own.microphone?.readyState).toBe("live");
  expect(own.microphone?.enabled).toBe(false);
  expect(own.trouble).toBe("");
  own.close();
  expect(FakeTrack.live).toEqual([]);
});

test("another microphone takes the place of the one that is gone at once", async () => {
  const own = await LocalMedia.open("video");
  devices().plug(["mic-2"]);

  (own.microphone as unknown as FakeTrack).lose();
  await settled();

  expect(own.inUse("microphone")).toBe("mic-2");
  expect(own.trouble).toBe("");
  own.close();
});

test("a device that comes back after the call is left alone", async () => {
  const own = await LocalMedia.open("audio");
  devices().plug([]);
  (own.microphone as unknown as FakeTrack).lose();
  await settled();
  own.close();

  devices().plug(["mic-1"]);
  await settled();

  expect(FakeTrack.live).toEqual([]);
});

test("a microphone that the system silences is told of until it is back", async () => {
  const own = await LocalMedia.open("audio");
  const track = own.microphone as unknown as FakeTrack;

  track.setMuted(true);
  expect(own.trouble).toContain("muted your microphone");
  track.setMuted(false);

  expect(own.trouble).toBe("");
  own.close();
});

test("without a camera a video call is opened with the microphone", async () => {
  devices().cameras = [];

  const own = await LocalMedia.open("video");

  expect(own.camera).toBeUndefined();
  expect(own.trouble).toContain("No camera was found");
  own.close();
  expect(FakeTrack.live).toEqual([]);
  vi.clearAllTimers();
});
