// The audit log's list: pages, filters, failures and what an entry says.

import { afterEach, expect, test, vi } from "vitest";
import "../src/admin/audit-log";
import type { AuditLog } from "../src/admin/audit-log";
import type { AuditLog as Entry } from "../src/generated/rest";
import { click, drawn, enter, mount, textOf } from "./dom";

const entry = (id: string, more: Partial<Entry> = {}): Entry => ({
  siteId: 1,
  agentId: 1,
  objectName: "",
  id,
  agentEmail: "ann@example.com",
  agentName: "",
  author: "ann@example.com",
  createTime: "2026-01-31T09:00:00.000Z",
  actionType: "agentCreated",
  actionSummary: `Entry ${id}`,
  actionDetails: [],
  ...more,
});

type Request = { url: URL; answer: (entries: Entry[], nextPage?: string) => void; fail: () => void };

const openLog = async () => {
  const requests: Request[] = [];
  vi.stubGlobal(
    "fetch",
    (path: string) =>
      new Promise<Response>((resolve, reject) =>
        requests.push({
          url: new URL(path, "http://x"),
          answer: (auditLogs, nextPage = "") => resolve(Response.json({ auditLogs, nextPage })),
          fail: () => reject(new TypeError("network")),
        }),
      ),
  );
  const log = await mount<AuditLog>("visavis-audit-log");
  const items = async (): Promise<string[]> =>
    [...(await drawn(log)).querySelectorAll("li")].map((item) => textOf(item));
  return { log, root: log.shadowRoot!, requests, items };
};

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("older entries are appended, and one that has moved to the next page is not shown twice", async () => {
  const { root, requests, items } = await openLog();
  requests[0]!.answer([entry("3"), entry("2")], "/v4/next");
  expect(await items()).toHaveLength(2);
  click(root, ".bar button");
  expect(requests[1]!.url.searchParams.get("pageIndex")).toBe("2");
  requests[1]!.answer([entry("2"), entry("1")]);
  expect((await items()).map((text) => /Entry \d/.exec(text)![0])).toEqual(["Entry 3", "Entry 2", "Entry 1"]);
  expect(root.querySelector(".bar button")).toBeNull();
});

test("an answer that comes after that to a later filter is dropped", async () => {
  const { root, requests, items } = await openLog();
  enter(root, "input[name=author]", "Bo", "change");
  requests[1]!.answer([entry("2", { author: "Bo" })]);
  await items();
  requests[0]!.answer([entry("3"), entry("2"), entry("1")]);
  expect(await items()).toHaveLength(1);
});

test("a failure is told with what was shown before, until an answer comes", async () => {
  const { log, root, requests, items } = await openLog();
  requests[0]!.answer([entry("1")]);
  await items();
  void log.refresh();
  requests[1]!.fail();
  expect(await items()).toHaveLength(1);
  expect(textOf(root.querySelector("[role=alert]"))).toBe("This could not be loaded. Please try again.");
  void log.refresh();
  requests[2]!.answer([entry("1")]);
  await items();
  expect(root.querySelector("[role=alert]")).toBeNull();
});

test("an empty log and a filter that matches nothing are told apart", async () => {
  const { root, requests, items } = await openLog();
  requests[0]!.answer([]);
  await items();
  expect(textOf(root.querySelector("section > p"))).toBe("There are no changes yet.");
  enter(root, "input[name=object]", "x", "change");
  requests[1]!.answer([]);
  await items();
  expect(textOf(root.querySelector("section > p"))).toBe("Nothing matches these filters.");
});

test("the last day of a range is included", async () => {
  const { root, requests } = await openLog();
  enter(root, "input[name=from]", "2026-02-28", "change");
  enter(root, "input[name=to]", "2026-02-28", "change");
  const { searchParams } = requests.at(-1)!.url;
  const [from, to] = ["from", "to"].map((name) => Date.parse(searchParams.get(name)!));
  expect(to! - from!).toBe(24 * 3600 * 1000);
});

test("a changed setting is told in the words of the settings page, other acts by their summary", async () => {
  const { requests, items } = await openLog();
  const detail = (fieldName: string, oldValue: string, newValue: string) => ({
    fieldName,
    oldValue,
    newValue,
  });
  requests[0]!.answer([
    entry("4", {
      actionType: "audioAndVideoChatManagement",
      actionDetails: [detail("isEnabled", "false", "true"), detail("recordingServerUrl", "", "https://a/")],
    }),
    entry("3", {
      actionType: "recordingPolicyManagement",
      actionDetails: [detail("ringLimit", "20", "all")],
    }),
    entry("2", { actionType: "signInFailed", actionDetails: [detail("address", "", "192.0.2.7")] }),
    entry("1", { actionType: "recordingDeleted", actionDetails: [detail("recording", "r1", "")] }),
  ]);
  const [settings, policy, failed, deleted] = await items();
  expect(settings).toContain("Audio & Video Chat: off → onRecording server: none → https://a/");
  expect(policy).toContain("Agents at whom a call rings at first: 20 → all");
  expect(failed).toMatch(/Entry 2 ?Network: 192\.0\.2\.7/);
  expect(deleted).toContain("Recording deleted: r1");
});
