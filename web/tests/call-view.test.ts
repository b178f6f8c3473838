// A call in progress as a person sees it: controls, panels, what is said of the call.

import { afterEach, expect, test, vi } from "vitest";
vi.hoisted(() => {
  const mediaDevices = { getDisplayMedia: () => undefined };
  Object.defineProperty(navigator, "mediaDevices", { value: mediaDevices, configurable: true });
  Object.assign(HTMLMediaElement.prototype, { setSinkId: () => Promise.resolve() });
});
import "../src/call/call-view";
import type { CallView } from "../src/call/call-view";
import { click, drawn, mount, textOf } from "./dom";
import { FakeSocket, FakeTrack, settled } from "./fakes";
import { connectedVisitor, devices } from "./pages";

const AT = "2026-01-01T00:00:01Z";

const openCall = async () => {
  const { visitor } = await connectedVisitor();
  const conversation = visitor.conversation!;
  const view = await mount<CallView>("visavis-call", { conversation, heading: "Bo" });
  const root = view.shadowRoot!;
  const label = (id: string) => root.querySelector(`#${id}`)!.getAttribute("aria-label");
  const press = async (id: string): Promise<void> => {
    click(root, `#${id}`);
    await settled();
    await drawn(view);
  };
  const tell = async (message: object): Promise<void> => {
    FakeSocket.latest.receive({ callId: "c1", ...message });
    await drawn(view);
  };
  const end = () => {
    view.remove();
    visitor.hangUp();
    visitor.close();
  };
  return { visitor, conversation, view, root, label, press, tell, end };
};

afterEach(() => document.body.replaceChildren());

test("muting stops the sound, and the button says what it does next", async () => {
  const { root, label, press, end } = await openCall();
  const microphone = FakeTrack.live.find(({ kind }) => kind === "audio")!;
  await press("mute");
  expect(microphone.enabled).toBe(false);
  expect([label("mute"), root.querySelector("#mute")!.getAttribute("aria-pressed")]).toEqual([
    "Unmute",
    "true",
  ]);
  await press("mute");
  expect(microphone.enabled).toBe(true);
  expect(label("mute")).toBe("Mute");
  end();
});

test("the camera goes dark when it is switched off, and is captured again", async () => {
  const { root, label, press, end } = await openCall();
  expect(root.querySelector(".own")).not.toBeNull();
  await press("camera");
  expect(FakeTrack.live.some(({ kind }) => kind === "video")).toBe(false);
  expect(label("camera")).toBe("Camera on");
  expect(root.querySelector(".own")).toBeNull();
  await press("camera");
  expect(FakeTrack.live.some(({ kind }) => kind === "video")).toBe(true);
  end();
});

test("a shared screen is told as long as it is shared", async () => {
  const { root, label, press, end } = await openCall();
  await press("share");
  expect(textOf(root.querySelector(".facts.start"))).toBe("You are sharing your screen");
  expect(label("share")).toBe("Stop sharing");
  await press("share");
  expect(textOf(root.querySelector(".facts.start"))).toBe("");
  end();
});

test("unread lines are counted while the text panel is closed", async () => {
  const { root, label, press, tell, end } = await openCall();
  const said = (id: string) => ({ type: "said", by: "agent", text: "Hello", at: AT, id });
  await tell(said("1"));
  await tell(said("2"));
  expect(label("chat")).toBe("Text (2 unread)");
  await press("chat");
  expect(root.querySelector("visavis-chat")).not.toBeNull();
  await tell(said("3"));
  expect(label("chat")).toBe("Text");
  await press("chat");
  expect(label("chat")).toBe("Text");
  await tell(said("4"));
  expect(label("chat")).toBe("Text (1 unread)");
  end();
});

test("one panel is open at a time, and Escape closes it and gives the focus back", async () => {
  const { view, root, press, end } = await openCall();
  await press("chat");
  await press("devices");
  expect(root.querySelector("visavis-chat")).toBeNull();
  expect(root.querySelector("visavis-devices")).not.toBeNull();
  root.querySelector("#panel")!.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  await drawn(view);
  expect(root.querySelector<HTMLElement>("#panel")!.hidden).toBe(true);
  expect(root.activeElement?.id).toBe("devices");
  end();
});

test("the state of the recording is told", async () => {
  const { root, tell, end } = await openCall();
  const facts = () => textOf(root.querySelector(".facts.start"));
  await tell({ type: "recording", state: "on", since: AT });
  expect(facts()).toMatch(/^Recording since \d/);
  await tell({ type: "recording", state: "paused", since: AT });
  expect(facts()).toBe("Recording paused");
  await tell({ type: "recording", state: "off", since: AT });
  expect(facts()).toBe("");
  end();
});

test("the other side's name and the time stand on the picture", async () => {
  const { root, view, end } = await openCall();
  vi.advanceTimersByTime(65_000);
  await drawn(view);
  expect(textOf(root.querySelector(".facts.bottom"))).toBe("Bo · 1:05");
  end();
});

test("a lost server and lost devices are told below the picture", async () => {
  const { root, view, end } = await openCall();
  FakeTrack.live.find(({ kind }) => kind === "video")!.lose();
  view.isOnline = false;
  await drawn(view);
  const [server, camera] = [...root.querySelectorAll(".messages p")].map(textOf);
  expect(server).toContain("The connection to the server was lost.");
  expect(camera).toContain("The camera was disconnected.");
  end();
});

test("a call whose sound the browser holds back offers to turn it on", async () => {
  HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException("", "NotAllowedError"));
  const { root, view, end } = await openCall();
  await drawn(view);
  expect(textOf(root.querySelector(".veil"))).toBe("Turn the sound on");
  HTMLMediaElement.prototype.play = () => Promise.resolve();
  click(root, ".veil button");
  await drawn(view);
  expect(root.querySelector(".veil")).toBeNull();
  view.isReconnecting = true;
  await drawn(view);
  expect(textOf(root.querySelector(".veil"))).toBe("Reconnecting …");
  end();
});

test("the chosen loudspeaker plays the other side", async () => {
  const setSinkId = vi.fn((_: string) => Promise.reject(new DOMException("", "NotFoundError")));
  Object.assign(HTMLMediaElement.prototype, { setSinkId });
  const { conversation, view, end } = await openCall();
  await conversation.own.choose("speaker", "loud");
  await drawn(view);
  expect(setSinkId).toHaveBeenCalledWith("loud");
  end();
});

test("the picture is enlarged to the whole screen and shrunk again", async () => {
  let element: Element | null = null;
  const change = (to: Element | null) => {
    element = to;
    document.dispatchEvent(new Event("fullscreenchange"));
    return Promise.resolve();
  };
  Object.defineProperties(document, {
    fullscreenEnabled: { value: true, configurable: true },
    fullscreenElement: { get: () => element, configurable: true },
    exitFullscreen: { value: () => change(null), configurable: true },
  });
  const { view, label, press, end } = await openCall();
  view.requestFullscreen = () => change(view);
  expect(label("enlarge")).toBe("Enlarge");
  await press("enlarge");
  expect(label("enlarge")).toBe("Shrink");
  await press("enlarge");
  expect(label("enlarge")).toBe("Enlarge");
  end();
});

test("hanging up is told to the page", async () => {
  const { view, press, end } = await openCall();
  const hungUp = vi.fn();
  view.addEventListener("hang-up", hungUp);
  await press("hang-up");
  expect(hungUp).toHaveBeenCalledOnce();
  end();
});

test("devices are listed by their names, and a chosen one is captured", async () => {
  devices().microphones = ["mic-1", "mic-2"];
  const { root, view, press, end } = await openCall();
  await press("devices");
  await drawn(view);
  const list = () => root.querySelector("visavis-devices")!.shadowRoot!;
  const options = (kind: string) => [...list().querySelectorAll(`#${kind} option`)].map(textOf);
  await settled();
  expect([options("microphone"), options("camera")]).toEqual([["mic-1", "mic-2"], ["cam-1"]]);
  const capture = vi.spyOn(devices(), "getUserMedia");
  const select = list().querySelector<HTMLSelectElement>("#microphone")!;
  select.value = "mic-2";
  select.dispatchEvent(new Event("change"));
  await drawn(view);
  expect(capture).toHaveBeenCalledWith({ audio: { deviceId: { exact: "mic-2" } } });

  devices().plug(["mic-1"]);
  await drawn(view);
  expect(options("microphone")).toEqual(["mic-1"]);
  await press("camera");
  expect(list().querySelector("#camera")).toBeNull();
  end();
});
