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

/** A connection with statistics that ends in the given state. */
const finds = async (state: string, statistics: object[]): Promise<unknown> => {
  vi.stubGlobal(
    "RTCPeerConnection",
    class extends SilentConnection {
      override setRemoteDescription(): Promise<void> {
        setTimeout(() => {
          this.connectionState = state;
          this.onconnectionstatechange();
        });
        return Promise.resolve();
      }
      override getStats(): Promise<RTCStatsReport> {
        return Promise.resolve(new Map(statistics.map((one, index) => [String(index), one])) as never);
      }
    },
  );
  const finding = probe(() => Promise.resolve("answer"), [], new AbortController().signal);
  await vi.advanceTimersByTimeAsync(60_000);
  return finding;
};

const pair = { id: "p", type: "candidate-pair", localCandidateId: "l", currentRoundTripTime: 0.0314 };
const transport = { id: "t", type: "transport", selectedCandidatePairId: "p" };

test.each([
  [[transport, pair, { id: "l", protocol: "udp" }], { protocol: "udp", roundTrip: 31 }],
  [
    [
      { ...pair, selected: true },
      { id: "l", protocol: "tcp" },
    ],
    { protocol: "tcp", roundTrip: 31 },
  ],
  [[transport, pair, { id: "l", protocol: "udp", relayProtocol: "tls" }], { protocol: "tls", roundTrip: 31 }],
  [[], { protocol: "udp", roundTrip: undefined }],
])("the way of the media is read from the statistics: %j", async (statistics, result) => {
  expect(await finds("connected", statistics)).toEqual(result);
});

test("a connection that fails, or is not there after eight seconds, is blocked", async () => {
  expect(await finds("failed", [])).toBe("blocked");
  expect(await finds("connecting", [])).toBe("blocked");
});

test("a server that does not answer, or has no answer, leaves the result unknown", async () => {
  const never = probe(() => new Promise(() => undefined), [], new AbortController().signal);
  await vi.advanceTimersByTimeAsync(8_000);
  expect(await never).toBe("unknown");
  expect(await probe(() => Promise.resolve(""), [], new AbortController().signal)).toBe("unknown");
  expect(connections.map((connection) => connection.isClosed)).toEqual([true, true]);
});

test("a check that is given up closes its connection at once", async () => {
  const controller = new AbortController();
  const finding = probe(() => new Promise(() => undefined), [], controller.signal);
  await vi.advanceTimersByTimeAsync(0);
  controller.abort();
  expect(await finding).toBe("unknown");
  expect(connections.map((connection) => connection.isClosed)).toEqual([true]);
});
