import { afterEach, expect, test, vi } from "vitest";
import { Signaling, signalingUrl, type EarlySocket } from "../src/call/signaling";
import { FakeSocket, settled } from "./fakes";

const onMessage = vi.fn<(message: object) => void>();
const onOpen = vi.fn();
let signaling: Signaling<object, object>;

const connect = (isBusy = false): void => {
  onMessage.mockReset();
  onOpen.mockReset();
  signaling = new Signaling("ws://example.com/signaling", onMessage, onOpen, () => isBusy);
  FakeSocket.latest.open();
};

afterEach(() => signaling?.close());

test("a socket that the server closed is opened again", () => {
  connect();

  FakeSocket.latest.drop();
  vi.advanceTimersByTime(1000);
  FakeSocket.latest.open();

  expect(FakeSocket.all).toHaveLength(2);
  expect(onOpen.mock.calls.flat()).toEqual([true, false, true]);
});

test("a connection that does not open is given up, and another one opened", () => {
  connect();
  FakeSocket.latest.drop();
  vi.advanceTimersByTime(1000);
  expect(FakeSocket.all).toHaveLength(2);

  vi.advanceTimersByTime(12_000);

  expect(FakeSocket.all).toHaveLength(3);
  FakeSocket.latest.open();
  expect(onOpen.mock.lastCall).toEqual([true]);
});

const early = (...events: object[]): FakeSocket => {
  const socket = new FakeSocket("ws://example.com/signaling");
  socket.readyState = FakeSocket.OPEN;
  onMessage.mockReset();
  onOpen.mockReset();
  const given = { socket, events } as unknown as EarlySocket;
  signaling = new Signaling("", onMessage, onOpen, undefined, () => true, given);
  return socket;
};

test("a socket that was opened before is taken, with what it has received", async () => {
  const data = JSON.stringify({ type: "availability" });
  const socket = early({ type: "open" }, { type: "message", data });
  expect(onOpen).not.toHaveBeenCalled();
  await settled();

  expect(onOpen.mock.calls.flat()).toEqual([true]);
  expect(onMessage).toHaveBeenCalledWith({ type: "availability" });
  expect(FakeSocket.all).toEqual([socket]);

  socket.drop();
  vi.advanceTimersByTime(1000);
  expect(FakeSocket.all).toHaveLength(2);
});

test("a refusal that came before is the only one", async () => {
  early({ type: "close", code: 1008, reason: "There is no such site." });
  await settled();
  vi.advanceTimersByTime(60_000);

  expect(FakeSocket.all).toHaveLength(1);
});

test("a closed signaling stays closed", () => {
  connect();

  signaling.close();
  FakeSocket.latest.drop();
  vi.advanceTimersByTime(60_000);

  expect(FakeSocket.all).toHaveLength(1);
});

test.each([
  { isBusy: false, seconds: 20 },
  { isBusy: true, seconds: 6 },
])("a dead connection is noticed within $seconds s (busy: $isBusy)", ({ isBusy, seconds }) => {
  connect(isBusy);

  vi.advanceTimersByTime(seconds * 1000);

  expect(onOpen.mock.calls.flat()).toEqual([true, false]);
});

test("a connection whose other end answers stays open", () => {
  connect();
  const socket = FakeSocket.latest;

  for (let minute = 0; minute < 60; minute += 1) {
    vi.advanceTimersByTime(1000);
    if (socket.ofType("ping").length > minute / 15) socket.receive({ type: "pong" });
  }

  expect(onOpen.mock.calls.flat()).toEqual([true]);
  expect(onMessage).not.toHaveBeenCalled();
});

test("a ping is answered", () => {
  connect();

  FakeSocket.latest.receive({ type: "ping" });

  expect(FakeSocket.latest.ofType("pong")).toHaveLength(1);
});

test.each([
  ["online", () => dispatchEvent(new Event("online"))],
  ["pageshow", () => dispatchEvent(new Event("pageshow"))],
  ["visibilitychange", () => document.dispatchEvent(new Event("visibilitychange"))],
])("%s checks the connection at once", (_, wake) => {
  connect();

  wake();
  expect(FakeSocket.latest.ofType("ping")).toHaveLength(1);
  vi.advanceTimersByTime(4000);

  expect(onOpen.mock.calls.flat()).toEqual([true, false]);
});

test("a page that comes back connects without waiting for its pause", () => {
  connect();
  FakeSocket.latest.drop();

  dispatchEvent(new Event("online"));

  expect(FakeSocket.all).toHaveLength(2);
  vi.advanceTimersByTime(9_000);
  expect(FakeSocket.all).toHaveLength(2);
});

test("in a call no pause is longer than a second and a half", () => {
  connect(true);
  for (let attempts = 2; attempts < 9; attempts++) {
    FakeSocket.latest.drop();
    vi.advanceTimersByTime(1_500);
    expect(FakeSocket.all).toHaveLength(attempts);
  }
});

test("what a dead socket still says is not heard", () => {
  connect();
  const dead = FakeSocket.latest;
  vi.advanceTimersByTime(20_000);

  dead.receive({ type: "availability" });
  dead.drop();

  expect(onMessage).not.toHaveBeenCalled();
  expect(onOpen.mock.calls.flat()).toEqual([true, false]);
});

test("pages do not all come back at the same moment", () => {
  vi.spyOn(Math, "random").mockReturnValueOnce(0).mockReturnValueOnce(0.999);
  connect();
  FakeSocket.latest.drop();
  vi.advanceTimersByTime(260);
  expect(FakeSocket.all).toHaveLength(2);
  FakeSocket.latest.drop();
  vi.advanceTimersByTime(1400);
  expect(FakeSocket.all).toHaveLength(2);
  vi.advanceTimersByTime(200);
  expect(FakeSocket.all).toHaveLength(3);
});

test("the address of the socket follows that of the server", () => {
  expect(signalingUrl("https://example.com", "/signaling/agent")).toBe("wss://example.com/signaling/agent");
  expect(signalingUrl("http://localhost:9000", "/s")).toBe("ws://localhost:9000/s");
});
