// The settings page with two administrators: whose value is shown, asked about and saved.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import "../src/admin/admin";
import type { Admin } from "../src/admin/admin";
import type { Configuration } from "../src/generated/rest";
import { click, drawn, enter, mount, SESSION, submit, textOf } from "./dom";
import { settled } from "./fakes";

const FIRST: Configuration = {
  isEnabled: true,
  isAutomaticallyRecordingAudioVideoChatsEnabled: true,
  recordingServerUrl: "https://one.example/files/",
};

class FakeEvents extends EventTarget {
  static readonly CLOSED = 2;
  static all: FakeEvents[] = [];
  readyState = 1;

  constructor(readonly url: string) {
    super();
    FakeEvents.all.push(this);
  }

  close(): void {
    this.readyState = FakeEvents.CLOSED;
  }

  send(config: Configuration, etag: string): void {
    this.dispatchEvent(new MessageEvent("config", { data: JSON.stringify({ config, etag }) }));
  }

  fail(readyState: number): void {
    this.readyState = readyState;
    this.dispatchEvent(new Event("error"));
  }
}

/** The server's configuration and its version, and what pages have saved. */
let config: Configuration;
let version: number;
let saved: object[];
let refusal: Response | undefined;

const tagged = () => Response.json(config, { headers: { ETag: `"${version}"` } });

/** Somebody else has saved this; `isTold` if the page has heard of it already. */
const changedElsewhere = (change: Partial<Configuration>, isTold = true): void => {
  config = { ...config, ...change };
  version += 1;
  if (isTold) FakeEvents.all.at(-1)!.send(config, `"${version}"`);
};

const put = (init: RequestInit): Response => {
  if (refusal) return refusal;
  if ((init.headers as Record<string, string>)["If-Match"] !== `"${version}"`)
    return Response.json({}, { status: 412 });
  config = JSON.parse(init.body as string) as Configuration;
  version += 1;
  saved.push(config);
  return tagged();
};

const openPage = async (session: object = SESSION) => {
  vi.stubGlobal("fetch", (url: string, init?: RequestInit): Promise<Response> => {
    if (url === "/session") return Promise.resolve(Response.json(session));
    if (!url.endsWith("audioVideoChatConfig")) return new Promise(() => {});
    return Promise.resolve(init?.method === "PUT" ? put(init) : tagged());
  });
  const page = await mount<Admin>("visavis-admin");
  FakeEvents.all.at(-1)?.send(config, `"${version}"`);
  const root = await drawn(page);
  const set = async (id: string, isOn: boolean): Promise<void> => {
    const field = root.querySelector<HTMLInputElement>(`#${id}`)!;
    field.checked = isOn;
    field.dispatchEvent(new Event("change"));
    await drawn(page);
  };
  const save = async (): Promise<string> => {
    submit(root);
    await drawn(page);
    return textOf(root.querySelector("form [role=status]"));
  };
  const button = (text: string) =>
    [...root.querySelectorAll("button")].find((one) => textOf(one) === text) as HTMLButtonElement;
  return { page, root, set, save, button };
};

beforeEach(() => {
  config = FIRST;
  version = 1;
  saved = [];
  refusal = undefined;
  FakeEvents.all = [];
  vi.stubGlobal("EventSource", FakeEvents);
});
afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("there is nothing to save or discard until something is edited", async () => {
  const { root, page, set, save, button } = await openPage();
  expect([button("Save").disabled, button("Discard changes").disabled]).toEqual([true, true]);
  await set("isEnabled", false);
  expect(button("Save").disabled).toBe(false);
  button("Discard changes").click();
  await drawn(page);
  expect(root.querySelector<HTMLInputElement>("#isEnabled")!.checked).toBe(true);
  await set("isEnabled", false);
  expect(await save()).toBe("Saved. The change applies to every open page.");
  expect(saved).toEqual([{ ...FIRST, isEnabled: false }]);
  expect(button("Save").disabled).toBe(true);
});

test.each([true, false])(
  "fields that somebody else has changed stay changed when this page saves another (told: %s)",
  async (isTold) => {
    const { root, page, save } = await openPage();
    enter(root, "#recordingServerUrl", "https://two.example/files/");
    changedElsewhere({ isEnabled: false }, isTold);
    await drawn(page);
    expect(root.querySelector(".conflict")).toBeNull();
    expect(await save()).toContain("Saved.");
    expect(saved).toEqual([{ ...FIRST, isEnabled: false, recordingServerUrl: "https://two.example/files/" }]);
  },
);

test.each([true, false])(
  "Keep mine saves this page's value of the field in conflict, and no other (told: %s)",
  async (isTold) => {
    const { root, page, save, button } = await openPage();
    enter(root, "#recordingServerUrl", "https://mine.example/");
    await drawn(page);
    changedElsewhere({ recordingServerUrl: "https://theirs.example/", isEnabled: false }, isTold);
    await drawn(page);
    await save();
    expect(saved).toEqual([]);
    const rows = [...root.querySelectorAll(".conflict tbody tr")].map(textOf);
    expect(rows).toEqual([
      "Recording server https://mine.example/ https://theirs.example/".replace(/ (?=h)/g, ""),
    ]);

    button("Keep mine").click();
    await drawn(page);
    expect(saved).toEqual([{ ...FIRST, isEnabled: false, recordingServerUrl: "https://mine.example/" }]);
    expect(root.querySelector(".conflict")).toBeNull();
    expect(root.querySelector<HTMLInputElement>("#isEnabled")!.checked).toBe(false);
  },
);

test("Take theirs shows their value of the field in conflict and keeps the other edits", async () => {
  const { root, page, set, save, button } = await openPage();
  enter(root, "#recordingServerUrl", "https://mine.example/");
  await set("isAutomaticallyRecordingAudioVideoChatsEnabled", false);
  changedElsewhere({ recordingServerUrl: "https://theirs.example/" });
  await drawn(page);
  button("Take theirs").click();
  await drawn(page);
  expect(root.querySelector<HTMLInputElement>("#recordingServerUrl")!.value).toBe("https://theirs.example/");
  expect(textOf(root.querySelector("form [role=status]"))).toBe("Now showing the current settings.");
  expect(saved).toEqual([]);
  expect(await save()).toContain("Saved.");
  expect(saved).toEqual([
    {
      ...FIRST,
      isAutomaticallyRecordingAudioVideoChatsEnabled: false,
      recordingServerUrl: "https://theirs.example/",
    },
  ]);
});

test("a change of somebody else shows at once where nothing is edited", async () => {
  const { root, page } = await openPage();
  changedElsewhere({ isEnabled: false });
  await drawn(page);
  expect(root.querySelector<HTMLInputElement>("#isEnabled")!.checked).toBe(false);
  expect(textOf(root.querySelector("form [role=status]"))).toBe("Somebody else has just changed this.");
});

test.each([
  [{ error: "ParameterFormatIncorrect" }, "no-url", "Enter a complete URL"],
  [{ error: "ParameterInvalid" }, "https://a:b@one.example/", "without a user name or password"],
  [{ error: "ParameterStringLengthExceed" }, "https://long.example/", "too long"],
  [{ error: "ParameterInvalid" }, "", "Automatic recording needs a recording server."],
])("a URL that is refused is marked and explained: %j", async (problem, url, text) => {
  const { root, page, save } = await openPage();
  refusal = Response.json({ ...problem, message: "", pointer: "/recordingServerUrl" }, { status: 400 });
  enter(root, "#recordingServerUrl", url);
  await drawn(page);
  expect(await save()).toBe("Not saved. Please check the marked field.");
  expect(root.querySelector("#recordingServerUrl")!.getAttribute("aria-invalid")).toBe("true");
  expect(textOf(root.querySelector("#url-error"))).toContain(text);
  enter(root, "#recordingServerUrl", "https://two.example/");
  await drawn(page);
  expect(root.querySelector("#recordingServerUrl")!.getAttribute("aria-invalid")).toBe("false");
});

test("a refusal that belongs to no field, and a lost network, are told above the form", async () => {
  const { root, page, set, save } = await openPage();
  await set("isEnabled", false);
  refusal = Response.json({ error: "StoreUnavailable", message: "" }, { status: 503 });
  await save();
  expect(textOf(root.querySelector("main > [role=alert]"))).toContain("The server is busy.");
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
  await save();
  await drawn(page);
  expect(textOf(root.querySelector("main > [role=alert]"))).toBe(
    "This could not be saved. Please try again.",
  );
  expect(root.querySelector<HTMLInputElement>("#isEnabled")!.checked).toBe(false);
});

test("the configuration is followed again after an answer that ends the stream", async () => {
  const { root, page, set } = await openPage();
  await set("isEnabled", false);
  FakeEvents.all[0]!.fail(FakeEvents.CLOSED);
  expect(textOf((await drawn(page)).querySelector("#away"))).toContain("The server cannot be reached.");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(FakeEvents.all).toHaveLength(2);
  config = { ...FIRST, recordingServerUrl: "https://theirs.example/" };
  FakeEvents.all[1]!.send(config, '"2"');
  await drawn(page);
  expect(root.querySelector("#away")).toBeNull();
  expect(root.querySelector<HTMLInputElement>("#recordingServerUrl")!.value).toBe("https://theirs.example/");
  expect(root.querySelector<HTMLInputElement>("#isEnabled")!.checked).toBe(false);
});

test("a stream that the browser itself reconnects is not opened twice, and ends with the page", async () => {
  const { page } = await openPage();
  FakeEvents.all[0]!.fail(0);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeEvents.all).toHaveLength(1);
  FakeEvents.all[0]!.fail(FakeEvents.CLOSED);
  page.remove();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeEvents.all).toHaveLength(1);
});

test("an agent who may not manage settings is told so, and nothing is requested", async () => {
  const { root } = await openPage({ ...SESSION, permissions: [] });
  await settled();
  expect(textOf(root.querySelector("main"))).toContain("You do not have the permission “Manage Settings”.");
  expect(FakeEvents.all).toEqual([]);
});

test("the audit log is shown to those who may see it", async () => {
  const { root } = await openPage();
  expect(root.querySelector("visavis-audit-log")).not.toBeNull();
  document.body.replaceChildren();
  const other = await openPage({ ...SESSION, permissions: ["Manage Settings"] });
  expect(other.root.querySelector("visavis-audit-log")).toBeNull();
  click(other.root, "#isEnabled");
});
