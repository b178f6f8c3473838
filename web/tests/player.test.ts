// The player of a recording: its controls, what it says of failures, and what it shows when.

import { afterEach, expect, test, vi } from "vitest";
import type { LibraryPart } from "../src/generated/rest";
import { OpenRecording } from "../src/library/api";
import "../src/library/player";
import type { Player } from "../src/library/player";
import { settled } from "./fakes";

const part = (side: string, more: Partial<LibraryPart> = {}): LibraryPart => ({
  name: `${side}-${more.kind ?? "audio"}`,
  side,
  kind: "audio",
  fileName: "",
  mediaType: "",
  begins: 0,
  ends: 60,
  pictures: [],
  participants: [],
  ...more,
});

const openPlayer = async (answer: () => Promise<Response>) => {
  vi.stubGlobal("fetch", answer);
  HTMLMediaElement.prototype.pause = () => undefined; // jsdom plays nothing
  const player = document.createElement("visavis-player") as Player;
  Object.assign(player, {
    opened: new OpenRecording("r1"),
    names: { visitor: "Ann", agent: "Bo" },
    duration: 60,
  });
  document.body.append(player);
  const root = player.shadowRoot!;
  const shown = async (): Promise<string> => {
    for (let turn = 0; turn < 5; turn += 1) await settled();
    await player.updateComplete;
    return root.textContent.replace(/\s+/g, " ").trim();
  };
  await shown();
  return { player, root, shown };
};

const playing = (...parts: LibraryPart[]) => openPlayer(() => Promise.resolve(Response.json({ parts })));

const press = (key: string, target: EventTarget = document.body): void => {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true }));
};

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("the mute buttons of the two sides have different names", async () => {
  const { root } = await playing(part("visitor"), part("agent"));
  const names = [...root.querySelectorAll("figcaption button")].map((one) => one.getAttribute("aria-label"));
  expect(names).toEqual(["Mute Ann", "Mute Bo"]);
});

test("each participant has a place, and those who followed each other share one", async () => {
  const { player, root, shown } = await playing(
    part("visitor", { participants: [1] }),
    part("agent", { participants: [2, 4] }),
    part("agent", { name: "agent2", participants: [3] }),
    part("agent", { name: "agent2-screen", kind: "screen", participants: [3], pictures: [[20, 30]] }),
  );
  player.participants = [
    { id: 1, role: "visitor", name: "Zoe" },
    { id: 2, role: "agent", name: "Al" },
    { id: 3, role: "agent", name: "Bea" },
    { id: 4, role: "agent", name: "Cy" },
  ];
  await shown();
  const labels = [...root.querySelectorAll(".sides figcaption span")].map((one) => one.textContent);
  expect(labels).toEqual(["Zoe", "Al, Cy", "Bea"]);
  root.querySelector<HTMLElement>('[aria-label="Mute Bea"]')!.click();
  await shown();
  const muted = [...root.querySelectorAll("video")].filter((one) => one.muted).map((one) => one.dataset.part);
  expect(muted).toEqual(["agent2-screen", "agent2"]);
  expect(root.querySelector("figure.screen")!.textContent).toContain("Screen of Bea");
});

test("muting one side leaves the other audible", async () => {
  const { root, shown } = await playing(part("visitor"), part("agent"));
  const button = root.querySelector<HTMLElement>('[aria-label="Mute Ann"]')!;
  button.click();
  await shown();
  expect(button.getAttribute("aria-pressed")).toBe("true");
  expect([...root.querySelectorAll("video")].map(({ muted }) => muted)).toEqual([true, false]);
});

test("a recording that is being prepared says so until its parts are there", async () => {
  let arrive: (response: Response) => void = () => undefined;
  const { shown } = await openPlayer(() => new Promise((resolve) => (arrive = resolve)));
  expect(await shown()).toBe("The recording is being prepared …");
  arrive(Response.json({ parts: [part("visitor")] }));
  expect(await shown()).toContain("0:00 / 1:00");
});

test("a refusal of the parts is the server's sentence", async () => {
  const body = { error: "StoreUnavailable", message: "" };
  const { shown } = await openPlayer(() => Promise.resolve(Response.json(body, { status: 503 })));
  expect(await shown()).toContain("The server is busy.");
});

test.each([
  ["the network", 2, "This could not be loaded. Please try again."],
  ["the browser", 4, "This browser cannot play the recording. You can download it."],
])("a failure of %s is called one", async (_, code, sentence) => {
  const { root, shown } = await playing(part("visitor"));
  const video = root.querySelector("video")!;
  Object.defineProperty(video, "error", { value: { code } });
  video.dispatchEvent(new Event("error"));
  expect(await shown()).toBe(sentence);
});

test("a side without a picture at the position shows its initial, and a shared screen its own frame", async () => {
  const { player, root, shown } = await playing(
    part("visitor", { kind: "video", pictures: [[0, 10]] }),
    part("agent"),
    part("agent", { kind: "screen", pictures: [[20, 30]] }),
  );
  const initials = () => [...root.querySelectorAll(".nobody")].map((one) => one.textContent.trim());
  const screen = () => root.querySelector<HTMLElement>("figure.screen")!;
  expect([initials(), screen().hidden]).toEqual([["B"], true]);
  void player.seek(25);
  await shown();
  expect([initials(), screen().hidden]).toEqual([["A", "B"], false]);
  expect(screen().textContent).toContain("Screen of Bo");
});

test("keys move the position, and leave a field that is typed in alone", async () => {
  const { player, root, shown } = await playing(part("visitor"));
  const positions: number[] = [];
  player.addEventListener("position", (event) => positions.push((event as CustomEvent<number>).detail));
  press("ArrowRight");
  await shown();
  expect(positions.at(-1)).toBe(5);
  press("End");
  await shown();
  expect(root.querySelector(".time")!.textContent).toBe("1:00 / 1:00");
  press("ArrowUp");
  expect(player.playbackSync.rate).toBe(1.25);
  const field = document.body.appendChild(document.createElement("input"));
  press("Home", field);
  await shown();
  expect(positions.at(-1)).toBe(60);
});
