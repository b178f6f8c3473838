// The title and the notification of a ringing call.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Announcer } from "../src/agent/announcer";
import type { Ring } from "../src/generated/signaling";
import { ring } from "./pages";

class FakeNotification {
  static permission = "granted";
  static requestPermission = vi.fn(() => Promise.resolve((FakeNotification.permission = "granted")));
  static all: FakeNotification[] = [];
  onclick: (() => void) | null = null;
  isClosed = false;

  constructor(
    readonly title: string,
    readonly options: NotificationOptions,
  ) {
    FakeNotification.all.push(this);
  }

  close(): void {
    this.isClosed = true;
  }
}

const ringOf = (callId: string, more: object = {}) => ring(callId, more) as Ring;
let announcer: Announcer;
let isReduced: boolean;

beforeEach(() => {
  FakeNotification.all = [];
  FakeNotification.permission = "granted";
  isReduced = false;
  vi.stubGlobal("Notification", FakeNotification);
  vi.stubGlobal("matchMedia", () => ({ matches: isReduced }));
  Object.assign(Announcer, { canNotify: true });
  announcer = new Announcer("Console");
});
afterEach(() => {
  announcer.announce([]);
  vi.unstubAllGlobals();
});

test("the title names the caller of the first call and blinks, until nothing rings", () => {
  announcer.announce([ringOf("c1"), ringOf("c2", { visitorName: "Cy" })]);
  expect(document.title).toBe("☎ Call from Ann");
  vi.advanceTimersByTime(1_000);
  expect(document.title).toBe("Console");
  vi.advanceTimersByTime(1_000);
  expect(document.title).toBe("☎ Call from Ann");
  announcer.announce([ringOf("c2", { visitorName: "" })]);
  expect(document.title).toBe("☎ Call from A visitor");
  announcer.announce([]);
  vi.advanceTimersByTime(5_000);
  expect(document.title).toBe("Console");
});

test("the title does not blink for people who want less motion", () => {
  isReduced = true;
  announcer.announce([ringOf("c1")]);
  vi.advanceTimersByTime(1_000);
  expect(document.title).toBe("☎ Call from Ann");
});

test("a hidden page notifies once of each call, and withdraws that when it stops ringing", () => {
  vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  announcer.announce([ringOf("c1")]);
  announcer.announce([ringOf("c1"), ringOf("c2", { media: "audio" })]);
  expect(FakeNotification.all.map(({ title, options }) => [title, options.body, options.tag])).toEqual([
    ["Call from Ann", "Video call", "c1"],
    ["Call from Ann", "Audio call", "c2"],
  ]);
  announcer.announce([ringOf("c2")]);
  expect(FakeNotification.all.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  const focus = vi.spyOn(window, "focus").mockReturnValue();
  FakeNotification.all[1]!.onclick!();
  expect(focus).toHaveBeenCalled();
  expect(FakeNotification.all[1]!.isClosed).toBe(true);
});

test("a page that is seen, or may not notify, shows no notification", () => {
  announcer.announce([ringOf("c1")]);
  vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  FakeNotification.permission = "denied";
  announcer.announce([ringOf("c2")]);
  expect(FakeNotification.all).toEqual([]);
});

test("a person is asked only while they have not decided", async () => {
  FakeNotification.permission = "default";
  expect(Announcer.mayAsk).toBe(true);
  await Announcer.ask();
  expect(Announcer.mayAsk).toBe(false);
});
