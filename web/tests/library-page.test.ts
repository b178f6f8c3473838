// The library page: the list or one recording, as the address says.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import "../src/library/library";
import type { Library } from "../src/library/library";
import { click, drawn, mount, SESSION, textOf } from "./dom";

const RECORDING = {
  id: "r1",
  startedAt: "2026-01-31T09:00:00Z",
  duration: 60,
  media: "video",
  visitorName: "Zoë",
  visitorEmail: "",
  agentNames: ["Ada"],
  size: 1e6,
  isHeld: false,
  missing: [] as string[],
};
const CONTENTS = { duration: 60, chapters: [], texts: [], quality: {}, missing: [] };

let details: (id: string) => Promise<Response>;

const openPage = async (query: string, session: object = SESSION) => {
  history.replaceState(null, "", `/library${query}`);
  vi.stubGlobal("fetch", (url: string): Promise<Response> => {
    if (url === "/session") return Promise.resolve(Response.json(session));
    const [, id, rest] = /^\/library\/recordings\/([^/?]+)(\/?.*)$/.exec(url) ?? [];
    if (id && rest!.startsWith("?")) return details(decodeURIComponent(id));
    return new Promise(() => {});
  });
  const page = await mount<Library>("visavis-library");
  return { page, root: page.shadowRoot! };
};

beforeEach(() => {
  details = () => Promise.resolve(Response.json({ recording: RECORDING, contents: CONTENTS }));
});
afterEach(() => {
  document.body.replaceChildren();
  history.replaceState(null, "", "/");
  vi.unstubAllGlobals();
});

test("the address without a recording shows the list, and opening one changes the address", async () => {
  const { page, root } = await openPage("");
  const list = root.querySelector("visavis-recordings")!;
  list.dispatchEvent(new CustomEvent("open-recording", { detail: "r1" }));
  await drawn(page);
  expect(location.search).toBe("?recording=r1");
  expect(textOf(root.querySelector("h1"))).toBe("Zoë · Ada");
  click(root, "main > a");
  await drawn(page);
  expect(location.search).toBe("");
  expect(root.querySelector("visavis-recordings")).not.toBeNull();
});

test("an address with a time starts the player there; a time that is none starts it at the beginning", async () => {
  const { root } = await openPage("?recording=r1&t=12.5");
  expect(root.querySelector<HTMLElement & { start: number }>("visavis-player")!.start).toBe(12.5);
  document.body.replaceChildren();
  const other = await openPage("?recording=r1&t=soon");
  expect(other.root.querySelector<HTMLElement & { start: number }>("visavis-player")!.start).toBe(0);
});

test("a recording that cannot be opened says why, with a way back to the list", async () => {
  details = () =>
    Promise.resolve(Response.json({ error: "EntityNotFound", code: "RecordingNotFound" }, { status: 404 }));
  const { page, root } = await openPage("?recording=gone");
  expect(textOf(root.querySelector("[role=alert]"))).toBe("There is no such recording.");
  click(root, "main > a");
  await drawn(page);
  expect(root.querySelector("visavis-recordings")).not.toBeNull();
});

test("details that come after another recording was opened are dropped", async () => {
  const late: ((response: Response) => void)[] = [];
  const { page, root } = await openPage("");
  details = (id) =>
    id === "slow"
      ? new Promise((resolve) => late.push(resolve))
      : Promise.resolve(Response.json({ recording: RECORDING, contents: CONTENTS }));
  const list = root.querySelector("visavis-recordings")!;
  list.dispatchEvent(new CustomEvent("open-recording", { detail: "slow" }));
  expect(textOf((await drawn(page)).querySelector("main [role=status]"))).toBe("Loading …");
  history.replaceState(null, "", "?recording=r1");
  dispatchEvent(new PopStateEvent("popstate"));
  await drawn(page);
  late[0]!(Response.json({ recording: { ...RECORDING, visitorName: "Late" }, contents: CONTENTS }));
  await drawn(page);
  expect(textOf(root.querySelector("h1"))).toBe("Zoë · Ada");
});

test("the browser's Back leads from a recording to the list", async () => {
  const { page, root } = await openPage("?recording=r1");
  history.replaceState(null, "", "/library");
  dispatchEvent(new PopStateEvent("popstate"));
  await drawn(page);
  expect(root.querySelector("visavis-recordings")).not.toBeNull();
});

test("what was done to the recording shows at once, and a deleted one leads back to the list", async () => {
  const { page, root } = await openPage("?recording=r1");
  const actions = root.querySelector("visavis-recording-actions")!;
  expect(root.querySelector(".title .badge")).toBeNull();
  actions.dispatchEvent(new CustomEvent("changed", { detail: { ...RECORDING, isHeld: true } }));
  await drawn(page);
  expect(textOf(root.querySelector(".title"))).toContain("On legal hold");
  actions.dispatchEvent(new CustomEvent("deleted"));
  await drawn(page);
  expect(root.querySelector("visavis-recordings")).not.toBeNull();
});

test("an agent who may not view recordings is told so, and nothing is requested", async () => {
  const asked = vi.fn(() => new Promise<Response>(() => {}));
  details = asked;
  const { root } = await openPage("?recording=r1", { ...SESSION, permissions: [] });
  expect(textOf(root.querySelector("[role=alert]"))).toContain(
    "You do not have the permission “View Recordings”.",
  );
  expect(asked).not.toHaveBeenCalled();
});
