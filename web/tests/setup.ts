import { afterEach, beforeEach, vi } from "vitest";
import { expectNothingHeld } from "./held";
import { FakeDevices, FakePeerConnection, FakeSocket, FakeStream, FakeTrack } from "./fakes";

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
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
