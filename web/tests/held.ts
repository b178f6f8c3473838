// The check of what a page holds for calls: after each test, and wherever a test says that no call is left.

import { expect } from "vitest";
import { FakePeerConnection, FakeTrack } from "./fakes";

/** Assert that no captured track is live and no connection open. */
export const expectNothingHeld = (): void => {
  expect(FakeTrack.live.map(({ kind }) => kind)).toEqual([]);
  expect(FakePeerConnection.all.filter(({ signalingState }) => signalingState !== "closed")).toEqual([]);
};
