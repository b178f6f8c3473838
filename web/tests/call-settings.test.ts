import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RecordingPolicySettings } from "../src/generated/rest";
import { CallSettings } from "../src/admin/call-settings";
import { RecordingPolicy } from "../src/admin/policy";

const FRESH: RecordingPolicySettings = {
  consent: "notice",
  unrecordable: "refuse",
  retentionDays: null,
  hasSecret: false,
  ringSeconds: 45,
  queueSeconds: 300,
  connectSeconds: 30,
  resumeSeconds: 30,
  ringLimit: 20,
};

/** A server with one policy, and the bodies of the PUTs that it has accepted. */
let policy: RecordingPolicySettings;
let version: number;
let accepted: object[];

beforeEach(() => {
  policy = FRESH;
  version = 0;
  accepted = [];
  const tagged = () => Response.json(policy, { headers: { ETag: `"${version}"` } });
  vi.stubGlobal("fetch", (_: string, init?: RequestInit): Promise<Response> => {
    if (init?.method !== "PUT") return Promise.resolve(tagged());
    const tag = (init.headers as Record<string, string>)["If-Match"];
    if (tag !== `"${version}"`) return Promise.resolve(Response.json({}, { status: 412 }));
    const body = JSON.parse(init.body as string) as Partial<RecordingPolicySettings>;
    if (body.ringSeconds !== undefined && !(body.ringSeconds >= 10 && body.ringSeconds <= 600)) {
      const problem = {
        error: "ParameterInvalid",
        code: "NumberInvalid",
        message: "",
        parameters: { field: "ringSeconds", least: 10, most: 600 },
        pointer: "/ringSeconds",
      };
      return Promise.resolve(Response.json(problem, { status: 400 }));
    }
    accepted.push(body);
    changedElsewhere(body);
    return Promise.resolve(tagged());
  });
});

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

const changedElsewhere = (change: Partial<RecordingPolicySettings>): void => {
  policy = { ...policy, ...change };
  version += 1;
};

const open = async <T extends CallSettings | RecordingPolicy>(page: T): Promise<T> => {
  document.body.append(page);
  await vi.waitFor(() => expect(page.shadowRoot?.querySelector("input")).toBeTruthy());
  return page;
};

const field = (page: HTMLElement, id: string) => page.shadowRoot!.querySelector<HTMLInputElement>(`#${id}`)!;

const enter = (page: HTMLElement, id: string, value: string): void => {
  field(page, id).value = value;
  field(page, id).dispatchEvent(new Event("input"));
};

const apply = async (page: HTMLElement, status: string): Promise<void> => {
  page.shadowRoot!.querySelector("form")!.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
  await vi.waitFor(() =>
    expect(page.shadowRoot!.querySelector("[aria-live]")!.textContent).toContain(status),
  );
};

test("the limits of calls are shown and only what was edited is saved", async () => {
  const page = await open(new CallSettings());
  const saved = vi.fn();
  page.addEventListener("saved", saved);
  expect(field(page, "ringSeconds").value).toBe("45");
  enter(page, "ringSeconds", " 60 ");
  enter(page, "ringLimit", "");
  await apply(page, "Saved.");
  expect(accepted).toEqual([{ ringSeconds: 60, ringLimit: null }]);
  expect(saved).toHaveBeenCalledOnce();
  expect(field(page, "ringSeconds").value).toBe("60");
});

test("a value out of range is marked with its range", async () => {
  const page = await open(new CallSettings());
  enter(page, "ringSeconds", "5");
  await apply(page, "Not saved.");
  expect(field(page, "ringSeconds").getAttribute("aria-invalid")).toBe("true");
  expect(page.shadowRoot!.querySelector("#ringSeconds-error")!.textContent).toContain("from 10 to 600");
  enter(page, "ringSeconds", "soon");
  await apply(page, "Not saved.");
  expect(accepted).toEqual([]);
});

test("other fields that somebody else has changed meanwhile stay changed", async () => {
  const calls = await open(new CallSettings());
  const recording = await open(new RecordingPolicy());
  enter(calls, "queueSeconds", "0");
  enter(recording, "retentionDays", "30");
  changedElsewhere({ resumeSeconds: 60 });
  await apply(calls, "Saved.");
  await apply(recording, "Saved.");
  expect(accepted).toEqual([{ queueSeconds: 0 }, { retentionDays: 30 }]);
  expect(policy).toEqual({ ...FRESH, queueSeconds: 0, retentionDays: 30, resumeSeconds: 60 });
  expect(field(calls, "resumeSeconds").value).toBe("60");
});

test("a field that both have changed is told, and kept only if it is applied again", async () => {
  const page = await open(new CallSettings());
  enter(page, "ringSeconds", "60");
  changedElsewhere({ ringSeconds: 90, queueSeconds: 10 });
  await apply(page, "Somebody else has also changed: Seconds for which a call rings.");
  expect(accepted).toEqual([]);
  expect(field(page, "ringSeconds").value).toBe("60");
  expect(field(page, "queueSeconds").value).toBe("10");
  await apply(page, "Saved.");
  expect(accepted).toEqual([{ ringSeconds: 60 }]);
});

test("a field of the recording policy that both have changed is told in the same way", async () => {
  const page = await open(new RecordingPolicy());
  enter(page, "retentionDays", "30");
  enter(page, "secret", "new");
  changedElsewhere({ retentionDays: 7, consent: "agreement" });
  await apply(page, "Somebody else has also changed: Delete recordings after … days.");
  expect(accepted).toEqual([]);
  expect(field(page, "retentionDays").value).toBe("30");
  expect(field(page, "secret").value).toBe("new");
  expect(page.shadowRoot!.querySelector<HTMLSelectElement>("#consent")!.value).toBe("agreement");
  await apply(page, "Saved.");
  expect(accepted).toEqual([{ retentionDays: 30, secret: "new" }]);
});

test.each([
  ["the limits of calls", () => new CallSettings()],
  ["the recording policy", () => new RecordingPolicy()],
])("%s: a failure to load is told and can be tried again", async (_, create) => {
  const { fetch } = globalThis;
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
  const page = create();
  document.body.append(page);
  const root = page.shadowRoot!;
  await vi.waitFor(() => expect(root.querySelector("[role=alert]")).toBeTruthy());
  expect(root.textContent).toContain("This could not be loaded.");
  expect(root.textContent).not.toContain("Loading");

  vi.stubGlobal("fetch", fetch);
  root.querySelector("button")!.click();
  await vi.waitFor(() => expect(root.querySelector("input")).toBeTruthy());
  expect(root.querySelector("[role=alert]")).toBeNull();
});
