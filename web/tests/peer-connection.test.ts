// One page's end of a link: negotiation, what is sent and shown, and when the link counts as lost.

import { expect, test, vi } from "vitest";
import { LocalMedia } from "../src/call/local-media";
import { Link } from "../src/call/peer-connection";
import type { Media } from "../src/generated/signaling";
import { type FakePeerConnection, settled } from "./fakes";

const open = async (isPolite: boolean, media: Media = "video") => {
  const own = await LocalMedia.open(media);
  const describe = vi.fn();
  const lost = vi.fn();
  const link = new Link(1, own, isPolite, [], { describe, lost });
  const connection = link.connection as unknown as FakePeerConnection;
  const close = () => {
    link.close();
    own.close();
  };
  const senders = () =>
    connection.getTransceivers().map(({ sender, direction }) => `${sender.track?.kind ?? "-"} ${direction}`);
  return { own, link, connection, describe, lost, close, senders };
};

const REMOTE = { sdp: "theirs", screenMid: "" };

test("the first offer has one section for the microphone and one for cameras, in use or not", async () => {
  const video = await open(true);
  expect(await video.link.begin(true)).toEqual({ sdp: "our offer", screenMid: "" });
  expect(video.senders()).toEqual(["audio sendrecv", "video sendrecv"]);
  video.close();
  const audio = await open(true, "audio");
  await audio.link.begin(true);
  expect(audio.senders()).toEqual(["audio sendrecv", "- recvonly"]);
  audio.close();
});

test("of two offers at once the polite page gives way, and the other does not", async () => {
  const visitor = await open(true);
  await visitor.link.begin(true);
  await visitor.link.take("offer", REMOTE);
  expect(visitor.describe.mock.calls).toEqual([["answer", { sdp: "our answer", screenMid: "" }]]);
  visitor.close();
  const agent = await open(false);
  await agent.link.begin(true);
  await agent.link.take("offer", REMOTE);
  expect(agent.describe).not.toHaveBeenCalled();
  expect(agent.connection.currentRemoteDescription).toBeNull();
  agent.close();
});

test("an answer to an offer that gave way changes nothing", async () => {
  const { link, connection, close } = await open(true);
  await link.begin(true);
  await link.take("offer", REMOTE);
  await link.take("answer", { sdp: "late", screenMid: "" });
  expect(connection.currentRemoteDescription).toEqual({ sdp: "theirs" });
  close();
});

test("a repeated answer is taken by a page that has missed it, and by no other", async () => {
  const { link, connection, close } = await open(true);
  await link.begin(true);
  const repeated = { ...REMOTE, isRepeated: true };
  await link.take("provisionalAnswer", REMOTE);
  await link.take("answer", repeated);
  expect(connection.signalingState).toBe("stable");
  await connection.setLocalDescription(); // a renegotiation: its own answer is on its way
  expect(connection.signalingState).toBe("have-local-offer");
  await link.take("answer", repeated);
  expect(connection.signalingState).toBe("have-local-offer");
  await link.take("answer", REMOTE);
  expect(connection.signalingState).toBe("stable");
  close();
});

test("a description that the browser rejects does not stop those that follow", async () => {
  const { link, connection, close } = await open(true);
  await link.begin(true);
  vi.spyOn(connection, "setRemoteDescription").mockRejectedValueOnce(
    new DOMException("", "InvalidAccessError"),
  );
  await expect(link.take("answer", REMOTE)).rejects.toThrow(DOMException);
  await link.take("answer", REMOTE);
  expect(connection.signalingState).toBe("stable");
  close();
});

test("a provisional answer connects early; a browser that refuses it connects with the answer", async () => {
  const chromium = await open(true);
  await chromium.link.begin(true);
  await chromium.link.take("provisionalAnswer", REMOTE);
  expect(chromium.connection.signalingState).toBe("have-remote-pranswer");
  await chromium.link.take("answer", REMOTE);
  expect(chromium.connection.signalingState).toBe("stable");
  chromium.close();

  const firefox = await open(true);
  await firefox.link.begin(true);
  vi.spyOn(firefox.connection, "setRemoteDescription").mockRejectedValueOnce(
    new DOMException("", "NotSupportedError"),
  );
  await firefox.link.take("provisionalAnswer", REMOTE);
  await firefox.link.take("answer", REMOTE);
  expect(firefox.connection.signalingState).toBe("stable");
  firefox.close();
});

test("descriptions are taken one after the other, in the order in which they came", async () => {
  const { link, connection, close } = await open(false);
  const order: string[] = [];
  let release = () => undefined as void;
  const take = connection.setRemoteDescription.bind(connection);
  vi.spyOn(connection, "setRemoteDescription").mockImplementation(async (description) => {
    order.push(`begin ${description.sdp}`);
    if (description.sdp === "one") await new Promise<void>((resolve) => (release = resolve));
    await take(description);
    order.push(`end ${description.sdp}`);
  });
  void link.take("offer", { sdp: "one", screenMid: "" });
  const last = link.take("offer", { sdp: "two", screenMid: "" });
  await settled();
  expect(order).toEqual(["begin one"]);
  release();
  await last;
  expect(order).toEqual(["begin one", "end one", "begin two", "end two"]);
  close();
});

test("a change is offered every five seconds until it is answered", async () => {
  const { link, connection, describe, close } = await open(true);
  connection.onnegotiationneeded!(); // the transceivers of the first offer: it is sent by the caller
  await link.begin(true);
  await link.take("answer", REMOTE);
  expect(describe).not.toHaveBeenCalled();
  connection.onnegotiationneeded!();
  await settled();
  vi.advanceTimersByTime(10_000);
  expect(describe.mock.calls.map(([kind]) => kind as string)).toEqual(["offer", "offer", "offer"]);
  await link.take("answer", REMOTE);
  vi.advanceTimersByTime(60_000);
  expect(describe).toHaveBeenCalledTimes(3);
  close();
});

test("a link is lost when ICE fails, or is disconnected for four seconds", async () => {
  const { connection, lost, close } = await open(true);
  connection.setIceState("disconnected");
  vi.advanceTimersByTime(3_999);
  connection.setIceState("connected");
  vi.advanceTimersByTime(60_000);
  expect(lost).not.toHaveBeenCalled();
  connection.setIceState("disconnected");
  vi.advanceTimersByTime(4_000);
  expect(lost).toHaveBeenCalledTimes(1);
  connection.setIceState("failed");
  expect(lost).toHaveBeenCalledTimes(2);
  connection.setIceState("disconnected");
  close();
  vi.advanceTimersByTime(60_000);
  expect(lost).toHaveBeenCalledTimes(2);
});

test("media flows once both sides have agreed and ICE is connected", async () => {
  const { link, connection, close } = await open(true);
  await link.begin(true);
  connection.setIceState("connected");
  expect(link.isFlowing).toBe(false); // by a provisional answer
  await link.take("answer", REMOTE);
  expect(link.isFlowing).toBe(true);
  connection.setIceState("disconnected");
  expect(link.isFlowing).toBe(false);
  close();
});

test("the other side's screen is shown apart from its camera, and goes when it is no longer shared", async () => {
  const { link, connection, close } = await open(true);
  await link.begin(true);
  const screen = connection.addTransceiver("video");
  const [microphone, camera] = connection.getTransceivers();
  for (const one of [microphone!, camera!]) one.currentDirection = "sendrecv";
  screen.currentDirection = "recvonly";
  await link.take("answer", { sdp: "theirs", screenMid: screen.mid });
  expect(link.remoteScreen.getTracks()).toEqual([screen.receiver.track]);
  expect(link.remote.getTracks()).toEqual([microphone!.receiver.track, camera!.receiver.track]);

  camera!.currentDirection = "sendonly";
  await link.take("offer", { sdp: "theirs", screenMid: "" });
  expect(link.remoteScreen.getTracks()).toEqual([]);
  expect(link.remote.getTracks()).toEqual([microphone!.receiver.track]);
  close();
});

test("own devices that come and go are sent where there is a section for them", async () => {
  const { own, link, describe, close, senders } = await open(true, "audio");
  await link.begin(false);
  expect(senders()).toEqual(["audio sendrecv"]);
  await own.setCamera(true);
  expect(senders()).toEqual(["audio sendrecv", "video sendrecv"]);
  await own.share();
  expect(senders()).toEqual(["audio sendrecv", "video sendrecv", "video sendonly"]);
  await link.take("offer", REMOTE);
  expect(describe.mock.calls.at(-1)).toEqual(["answer", { sdp: "our answer", screenMid: "2" }]);
  own.stopSharing();
  await own.setCamera(false);
  expect(senders()).toEqual(["audio sendrecv", "- recvonly", "- inactive"]);
  await own.setCamera(true);
  expect(senders()).toEqual(["audio sendrecv", "video sendrecv", "- inactive"]);
  close();
});

test("the page that answers sends its camera and its screen as well", async () => {
  const { own, link, connection, close, senders } = await open(false);
  await own.share();
  connection.addTransceiver("audio"); // the sections of the other page's offer
  connection.addTransceiver("video");
  await link.take("offer", REMOTE);
  expect(senders()).toEqual(["audio sendrecv", "video sendrecv", "video sendonly"]);
  close();
});

test("a link that is closed follows the devices no longer", async () => {
  const { own, link, close, senders } = await open(true);
  await link.begin(true);
  close();
  const before = senders();
  own.setMuted(true);
  own.stopSharing();
  expect(senders()).toEqual(before);
});
