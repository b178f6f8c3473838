// The check before a call: what it says of microphone, camera and connection, and when a call can be placed.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import "../src/visitor/check-view";
import type { CheckView } from "../src/visitor/check-view";
import type { VisitorSession } from "../src/visitor/visitor-session";
import { click, drawn, enter, mount, submit, textOf } from "./dom";
import { FakeAudio, FakeSocket, settled } from "./fakes";
import { AVAILABLE, devices, expectNoCall, visitorPage } from "./pages";

const openCheck = async (availability: object = {}) => {
  const { visitor } = await visitorPage();
  FakeSocket.latest.receive({ ...AVAILABLE, ...availability });
  void visitor.prepare("video");
  await settled();
  const view = await mount<CheckView>("visavis-check", { visitor });
  const root = view.shadowRoot!;
  const findings = async () => [...(await drawn(view)).querySelectorAll("li")].map(textOf);
  const callNow = () => root.querySelector<HTMLButtonElement>("form .primary")!;
  return { visitor, view, root, findings, callNow };
};

const end = async (visitor: VisitorSession): Promise<void> => {
  visitor.hangUp();
  await settled();
  document.body.replaceChildren();
  expectNoCall(visitor);
  visitor.close();
};

beforeEach(() => {
  Object.assign(FakeAudio, { all: [], sample: 0, startsAs: "running" });
  vi.stubGlobal("AudioContext", FakeAudio);
});
afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("a microphone that is heard works, also if there is silence after that", async () => {
  const { visitor, root, findings } = await openCheck();
  expect((await findings())[0]).toBe("Say hello to test your microphone.");
  FakeAudio.sample = 0.5;
  vi.advanceTimersByTime(200);
  expect((await findings())[0]).toBe("Your microphone works.");
  expect(Number(root.querySelector("[role=meter]")!.getAttribute("aria-valuenow"))).toBe(90);
  FakeAudio.sample = 0;
  vi.advanceTimersByTime(10_000);
  expect((await findings())[0]).toBe("Your microphone works.");
  expect(root.querySelector("[role=meter]")!.getAttribute("aria-valuenow")).toBe("0");
  await end(visitor);
  expect(FakeAudio.all.map(({ state }) => state)).toEqual(["closed"]);
});

test("a microphone that is silent for six seconds is told, until it is heard", async () => {
  const { visitor, findings } = await openCheck();
  vi.advanceTimersByTime(6_000);
  expect((await findings())[0]).toContain("We cannot hear you.");
  FakeAudio.sample = 0.5;
  vi.advanceTimersByTime(200);
  expect((await findings())[0]).toBe("Your microphone works.");
  await end(visitor);
});

test("nothing is said of a microphone while the browser does not measure it", async () => {
  FakeAudio.startsAs = "suspended";
  const { visitor, findings } = await openCheck();
  vi.advanceTimersByTime(10_000);
  expect((await findings())[0]).toBe("Say hello to test your microphone.");
  expect(FakeAudio.all[0]!.state).toBe("suspended");
  vi.stubGlobal("navigator", Object.assign(Object.create(navigator), { userActivation: { isActive: true } }));
  vi.advanceTimersByTime(100);
  expect(FakeAudio.all[0]!.state).toBe("running");
  await end(visitor);
});

test("a microphone that is captured later is listened to in the place of the first", async () => {
  const { visitor, findings } = await openCheck();
  FakeAudio.sample = 0.5;
  vi.advanceTimersByTime(200);
  await findings();
  FakeAudio.sample = 0;
  await visitor.own!.choose("microphone", "mic-1");
  expect((await findings())[0]).toBe("Say hello to test your microphone.");
  expect(FakeAudio.all.map(({ state }) => state)).toEqual(["closed", "running"]);
  await end(visitor);
});

test("while the browser asks, the check asks as well, and no call can be placed", async () => {
  devices().isAsking = true;
  const { visitor, view, root, callNow } = await openCheck();
  expect(textOf(root.querySelector("[role=status]"))).toBe("Please allow your microphone and camera.");
  expect(callNow().disabled).toBe(true);
  await devices().questions[0]!.allow();
  await drawn(view);
  expect(root.querySelector("video")).not.toBeNull();
  expect(callNow().disabled).toBe(false);
  await end(visitor);
});

test("devices that were refused are explained, and the microphone alone can be tried", async () => {
  devices().isAsking = true;
  const { visitor, view, root } = await openCheck();
  await devices().questions[0]!.fail("NotAllowedError");
  await drawn(view);
  expect(textOf(root.querySelector("[role=alert]"))).toContain("Allow it in the address bar and try again.");
  click(root, ".bar button:nth-child(2)");
  await settled();
  expect(devices().questions[1]!.constraints.video).toBeUndefined();
  await devices().questions[1]!.allow();
  await drawn(view);
  expect(visitor.media).toBe("audio");
  expect(root.querySelector("[role=alert]")).toBeNull();
  expect(textOf(root.querySelector("h2"))).toBe("Audio call");
  await end(visitor);
});

test("without a camera the call can still be placed", async () => {
  devices().cameras = [];
  const { visitor, findings, callNow } = await openCheck();
  expect(await findings()).toContain("No camera was found. You will be heard but not seen.");
  expect(callNow().disabled).toBe(false);
  await end(visitor);
});

test.each([
  [undefined, "Testing the connection …"],
  ["looking", "Testing the connection …"],
  ["unknown", "The connection could not be tested. You can still call."],
  ["blocked", "Your network blocks calls."],
  [{ protocol: "udp", roundTrip: 12 }, "The connection is good. (12 ms)"],
  [{ protocol: "tcp", roundTrip: undefined }, "The connection works, but the picture may be less smooth."],
] as const)("the connection is told in words: %j", async (path, text) => {
  const { visitor, findings } = await openCheck();
  visitor.path = path;
  expect((await findings()).at(-1)).toContain(text);
  await end(visitor);
});

test("the call is placed with the name, the e-mail address and the agreement", async () => {
  const { visitor, view, root } = await openCheck({ isRecorded: true, needsAgreement: true });
  const tick = root.querySelector<HTMLInputElement>("input[name=agreed]")!;
  expect(tick.required).toBe(true);
  enter(root, "input[name=name]", " Ann ");
  enter(root, "input[name=email]", "ann@example.com");
  tick.checked = true;
  submit(root);
  await drawn(view);
  expect(FakeSocket.latest.ofType("call")).toMatchObject([
    { name: "Ann", email: "ann@example.com", agreed: true, media: "video" },
  ]);
  await end(visitor);
});

test("a recorded call without agreement is announced, and no box is to be ticked", async () => {
  const { visitor, root } = await openCheck({ isRecorded: true });
  expect(textOf(root.querySelector("form"))).toContain("Calls are recorded.");
  expect(root.querySelector("input[name=agreed]")).toBeNull();
  await end(visitor);
});

test("no call can be placed while the server is away", async () => {
  const { visitor, view, root, callNow } = await openCheck();
  FakeSocket.latest.drop();
  await drawn(view);
  expect(callNow().disabled).toBe(true);
  expect(textOf(root.querySelector("form [role=alert]"))).toContain("The connection to the server was lost.");
  await end(visitor);
});
