import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { probe } from "../src/visitor/connectivity-check";

/** A connection that is established at once, with statistics that never come. */
class SilentConnection {
  localDescription = { sdp: "offer" };
  connectionState = "new";
  onconnectionstatechange: () => void = () => undefined;
  isClosed = false;

  addTransceiver(): void {}
  setLocalDescription(): Promise<void> {
    return Promise.resolve();
  }
  setRemoteDescription(): Promise<void> {
    setTimeout(() => {
      this.connectionState = "connected";
      this.onconnectionstatechange();
    });
    return Promise.resolve();
  }
  getStats(): Promise<RTCStatsReport> {
    return new Promise(() => undefined);
  }
  close(): void {
    this.isClosed = true;
  }
}

let connections: SilentConnection[];

beforeEach(() => {
  vi.useFakeTimers();
  connections = [];
  vi.stubGlobal(
    "RTCPeerConnection",
    class extends SilentConnection {
      constructor() {
        super();
        connections.push(this);
      }
    },
  );
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("the connectivity test ends when a browser never gives its statistics", async () => {
  const finding = probe(() => Promise.resolve("answer"), [], new AbortController().signal);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await Promise.race([finding, Promise.resolve("still waiting")])).toBe("unknown");
  expect(connections.map((connection) => connection.isClosed)).toEqual([true]);
});
