// Actions on a recording: legal hold, deletion, and an MP4 whose progress is asked for.

import { afterEach, expect, test, vi } from "vitest";
import { OpenRecording } from "../src/library/api";
import "../src/library/recording-actions";
import type { RecordingActions } from "../src/library/recording-actions";
import { settled } from "./fakes";

const RECORDING = {
  id: "r1",
  siteId: 1,
  callId: "c1",
  media: "video",
  visitorName: "Carla",
  visitorEmail: "",
  agentNames: ["Bo", "Cy"],
  startedAt: "2026-01-01T10:00:00Z",
  duration: 61,
  size: 1,
  sha256: "",
  isHeld: false,
  missing: [],
};

type Answer = { body?: object; status?: number } | Error;

const openActions = async (recording: object = {}, mayManage = true) => {
  const asked: string[] = [];
  const answers: Answer[] = [];
  vi.stubGlobal("fetch", (url: string, { method }: { method: string }) => {
    asked.push(`${method} ${url.replace("/library/recordings/r1", "")}`);
    const answer = answers.shift() ?? { body: { state: "none", progress: 0 } };
    if (answer instanceof Error) return Promise.reject(answer);
    const { body, status = 200 } = answer;
    return Promise.resolve(body ? Response.json(body, { status }) : new Response(null, { status: 204 }));
  });
  // jsdom opens no modal dialogs
  HTMLDialogElement.prototype.showModal = function show() {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function close() {
    this.open = false;
  };
  const actions = document.createElement("visavis-recording-actions") as RecordingActions;
  Object.assign(actions, {
    opened: new OpenRecording("r1"),
    recording: { ...RECORDING, ...recording },
    mayManage,
  });
  const happened: string[] = [];
  for (const name of ["changed", "deleted"]) actions.addEventListener(name, () => happened.push(name));
  document.body.append(actions);
  const root = actions.shadowRoot!;
  const shown = async (): Promise<string> => {
    for (let turn = 0; turn < 5; turn += 1) await settled();
    await actions.updateComplete;
    return root.textContent.replace(/\s+/g, " ");
  };
  const press = async (selector: string): Promise<string> => {
    root.querySelector<HTMLElement>(selector)!.click();
    return shown();
  };
  await shown();
  return { actions, asked, answers, happened, press, root, shown };
};

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("the dialog names the recording, and Keep it deletes nothing", async () => {
  const { asked, press, root, happened } = await openActions();
  await press("#delete");
  const dialog = root.querySelector("dialog")!;
  expect(dialog.open).toBe(true);
  expect(dialog.textContent).toContain("Carla · Bo, Cy");
  expect(dialog.textContent).toContain("1:01");
  expect(dialog.textContent).toContain("2026");
  await press("dialog button:not(.danger)");
  expect(dialog.open).toBe(false);
  expect([asked, happened]).toEqual([["GET /composed"], []]);
});

test("a recording is told to be deleted once the server has deleted it", async () => {
  const { asked, answers, press, root, happened } = await openActions();
  answers.push({ body: { error: "StoreUnavailable", message: "" }, status: 503 });
  await press("#delete");
  expect(await press("#delete-now")).toContain("The server is busy.");
  expect(happened).toEqual([]);
  answers.push({});
  await press("#delete");
  await press("#delete-now");
  expect(happened).toEqual(["deleted"]);
  expect(asked.slice(1)).toEqual(["DELETE ", "DELETE "]);
  expect(root.querySelector("[role=alert]")).toBeNull();
});

test("a recording on legal hold can be released and not deleted", async () => {
  const { asked, answers, press, root, happened } = await openActions({ isHeld: true });
  expect(root.querySelector("#delete")).toBeNull();
  answers.push({ body: { recording: RECORDING } });
  await press("#hold");
  expect([asked.at(-1), happened]).toEqual(["DELETE /hold", ["changed"]]);
});

test("an agent who may not manage recordings can only download them", async () => {
  const { root } = await openActions({}, false);
  expect(root.querySelector("#hold, #delete, dialog")).toBeNull();
  expect(root.querySelector("a[download]")!.getAttribute("href")).toBe("/library/recordings/r1/original.mkv");
});

test("the MP4's progress is followed until it can be downloaded", async () => {
  const { answers, press, root, shown } = await openActions();
  answers.push({ body: { state: "waiting", progress: 0 } }, { body: { state: "running", progress: 0.4 } });
  expect(await press("#compose")).toContain("Waiting for another MP4 to be finished");
  vi.advanceTimersByTime(1000);
  expect(await shown()).toContain("40 %");
  answers.push({ body: { state: "done", progress: 1 } });
  vi.advanceTimersByTime(1000);
  await shown();
  expect(root.querySelector("#composed")!.getAttribute("href")).toBe("/library/recordings/r1/composed.mp4");
});

test("a network that fails for a moment does not leave the progress where it was", async () => {
  const { answers, asked, press, root, shown } = await openActions();
  answers.push({ body: { state: "running", progress: 0.4 } }, new TypeError("Failed to fetch"));
  await press("#compose");
  vi.advanceTimersByTime(1000);
  await shown();
  expect(root.querySelector("[role=alert]")).not.toBeNull();
  answers.push({ body: { state: "done", progress: 1 } });
  vi.advanceTimersByTime(10_000);
  await shown();
  expect(root.querySelector("#composed")).not.toBeNull();
  expect(root.querySelector("[role=alert]")).toBeNull();
  const count = asked.length;
  vi.advanceTimersByTime(60_000);
  expect(asked).toHaveLength(count);
});

test("a page that is left asks for no progress any more", async () => {
  const { actions, answers, asked, press } = await openActions();
  answers.push({ body: { state: "running", progress: 0.4 } });
  await press("#compose");
  actions.remove();
  vi.advanceTimersByTime(60_000);
  await settled();
  expect(asked).toEqual(["GET /composed", "POST /composed"]);
});

test("an MP4 that failed can be tried again, and a running one cancelled", async () => {
  const { answers, press, root, shown } = await openActions();
  answers.push({ body: { state: "failed", progress: 0 } });
  expect(await press("#compose")).toContain("The MP4 could not be created. You can try again.");
  answers.push({ body: { state: "running", progress: 0 } }, { body: { state: "none", progress: 0 } });
  await press("#compose");
  await press(".row button");
  expect(await shown()).toContain("One MP4 with both sides. Creating it takes a while.");
  expect(root.querySelector("progress")).toBeNull();
});
