// Parts of a recording on one timeline: where each stands, and what starves.

import { expect, test, vi } from "vitest";
import { PlaybackSync } from "../src/library/playback-sync";

const part = (name: string, begins: number, ends: number) => ({
  name,
  fileName: `${name}.webm`,
  mediaType: "video/webm",
  side: name,
  kind: "video" as const,
  begins,
  ends,
  pictures: [] as [number, number][],
  participants: [],
});

/** A media element that moves only when it is told to. */
class FakeElement {
  currentTime = 0;
  playbackRate = 1;
  defaultPlaybackRate = 1;
  paused = true;
  ended = false;
  seeking = false;
  readyState: number = HTMLMediaElement.HAVE_ENOUGH_DATA;
  error = null;
  play = (): Promise<void> => {
    this.paused = false;
    return Promise.resolve();
  };
  pause = (): void => {
    this.paused = true;
  };
}

const opened = (...spans: [number, number][]) => {
  const sync = new PlaybackSync();
  const elements = spans.map(() => new FakeElement());
  const players = spans.map(([begins, ends], index) => ({
    part: part(`p${index}`, begins, ends),
    element: elements[index] as unknown as HTMLMediaElement,
  }));
  sync.attach(players, Math.max(...spans.map(([, ends]) => ends)));
  return { sync, elements };
};

const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

test("each part stands where the recording is, and a part that has not begun waits", async () => {
  const { sync, elements } = opened([0, 10], [4, 8]);
  const changes = vi.fn();
  sync.addEventListener("change", changes);
  await sync.seek(2);
  await sync.play();
  expect([elements[0]!.currentTime, elements[0]!.paused, elements[1]!.paused]).toEqual([2, false, true]);
  elements[0]!.currentTime = 5;
  await later(100);
  expect([elements[1]!.currentTime, elements[1]!.paused]).toEqual([1, false]);
  expect(sync.position).toBe(5);
  expect(changes).toHaveBeenCalled();
  sync.release();
});

test("a part that is a little behind hurries, and one that is far away jumps", async () => {
  const { sync, elements } = opened([0, 10], [0, 9]);
  await sync.play();
  elements[0]!.currentTime = 3;
  elements[1]!.currentTime = 2.95;
  await later(100);
  expect(elements[1]!.playbackRate).toBeGreaterThan(1);
  elements[1]!.currentTime = 1;
  await later(100);
  expect(elements[1]!.currentTime).toBe(3);
  sync.release();
});

test("all parts wait for one that has run dry, and pause keeps the position", async () => {
  const { sync, elements } = opened([0, 10], [0, 9]);
  await sync.play();
  elements[0]!.currentTime = 3;
  elements[1]!.readyState = HTMLMediaElement.HAVE_CURRENT_DATA;
  await later(100);
  expect(sync.isWaiting).toBe(true);
  expect(elements[0]!.paused).toBe(true);
  elements[1]!.readyState = HTMLMediaElement.HAVE_ENOUGH_DATA;
  await later(100);
  expect(sync.isWaiting).toBe(false);
  sync.pause();
  expect(sync.position).toBe(3);
});

test("the end is the recording's, and playing again begins at its beginning", async () => {
  const { sync, elements } = opened([0, 10]);
  await sync.play();
  elements[0]!.ended = true;
  await later(100);
  expect([sync.isPlaying, sync.position]).toEqual([false, 10]);
  elements[0]!.ended = false;
  await sync.play();
  expect(sync.position).toBe(0);
  sync.rate = 2;
  expect(elements[0]!.playbackRate).toBe(2);
  sync.release();
});
