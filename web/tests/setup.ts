import { afterEach, beforeEach, vi } from "vitest";
import { expectNothingHeld } from "./held";
import { FakeDevices, FakePeerConnection, FakeSocket, FakeStream, FakeTrack } from "./fakes";

/** Waits as long as a busy machine needs, and not a second. */
const { waitFor } = vi;
vi.waitFor = (callback, options) =>
  waitFor(callback, { timeout: 60_000, ...(typeof options === "number" ? { timeout: options } : options) });

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  FakeSocket.answersPings = true;
  FakeTrack.all = [];
  FakePeerConnection.all = [];
  sessionStorage.clear();
  localStorage.clear();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("MediaStream", FakeStream);
  vi.stubGlobal("RTCPeerConnection", FakePeerConnection);
  HTMLMediaElement.prototype.play = () => Promise.resolve(); // jsdom plays nothing
  Object.defineProperty(navigator, "mediaDevices", { value: new FakeDevices(), configurable: true });
});

afterEach(() => {
  vi.useRealTimers();
  expectNothingHeld();
});
