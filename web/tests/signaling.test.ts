import { expect, test, vi } from "vitest";
import { Signaling, signalingUrl } from "../src/signaling";
import { FakeSocket } from "./fakes";

test("a socket that the server closed is opened again", () => {
  const onOpen = vi.fn();
  const signaling = new Signaling("ws://example.com/signaling", vi.fn(), onOpen);
  FakeSocket.latest.open();

  FakeSocket.latest.drop();
  vi.advanceTimersByTime(1000);
  FakeSocket.latest.open();

  expect(FakeSocket.all).toHaveLength(2);
  expect(onOpen.mock.calls.flat()).toEqual([true, false, true]);
  signaling.close();
});

test("a closed signaling stays closed", () => {
  const signaling = new Signaling("ws://example.com/signaling", vi.fn(), vi.fn());
  FakeSocket.latest.open();

  signaling.close();
  FakeSocket.latest.drop();
  vi.advanceTimersByTime(60_000);

  expect(FakeSocket.all).toHaveLength(1);
});

test("the address of the socket follows that of the server", () => {
  expect(signalingUrl("https://example.com", "/signaling/agent")).toBe("wss://example.com/signaling/agent");
  expect(signalingUrl("http://localhost:9000", "/s")).toBe("ws://localhost:9000/s");
});
