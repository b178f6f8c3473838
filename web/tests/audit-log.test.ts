import { expect, test } from "vitest";
import { authorOf, recordingName } from "../src/admin/audit-log";
import type { AuditLog } from "../src/generated/rest";

const ENTRY: AuditLog = {
  siteId: 1,
  agentId: 1,
  objectName: "recording r",
  id: "e1",
  agentEmail: "ann@example.com",
  agentName: "Ann",
  author: "ann@example.com",
  createTime: "2026-01-31T09:00:00.000Z",
  actionType: "recordingPlayed",
  actionSummary: "Played the recording of 2026-01-31T08:00:00 with Zoë (Shop): 2",
  actionDetails: [{ fieldName: "recording", oldValue: "", newValue: "r1" }],
};

test("people are called by their names", () => {
  expect(authorOf(ENTRY)).toBe("Ann (ann@example.com)");
  expect(authorOf({ ...ENTRY, agentEmail: "", agentName: "", author: "system" })).toBe("Visavis");
  expect(authorOf({ ...ENTRY, agentEmail: "", agentName: "", author: "anonymous" })).toContain(
    "not signed in",
  );
  expect(authorOf({ ...ENTRY, agentEmail: "", agentName: "" })).toBe("ann@example.com");
});

test("recordings are called by their visitor and time", () => {
  expect(recordingName(ENTRY.actionSummary)).toMatch(/^Zoë \(Shop\): 2, .*31/);
  expect(recordingName("Deleted the recording of 2026-01-31T08:00:00 with Bo: kept for 9 days")).toMatch(
    /^Bo, /,
  );
  expect(recordingName("Number 7")).toBe("");
});

test("the log is filtered, and administrators can download what the filters find", async () => {
  const asked: string[] = [];
  globalThis.fetch = (input) => {
    asked.push(input as string);
    return Promise.resolve(new Response(JSON.stringify({ auditLogs: [ENTRY], nextPage: "" })));
  };
  const log = document.createElement("visavis-audit-log");
  log.setAttribute("exportable", "");
  document.body.append(log);
  await expect
    .poll(() => log.shadowRoot?.querySelector("li")?.textContent)
    .toContain("Ann (ann@example.com)");
  const author = log.shadowRoot!.querySelector<HTMLInputElement>("input[name=author]")!;
  author.value = "Ann";
  author.dispatchEvent(new Event("change", { bubbles: true }));
  await expect.poll(() => asked.length).toBe(2);
  expect(asked[1]).toContain("author=Ann");
  await expect
    .poll(() => log.shadowRoot?.querySelector("a[download]")?.getAttribute("href"))
    .toContain("author=Ann");
  log.remove();
});

test.each([true, false])("a recording is a link for those who may open it: %s", async (isLinked) => {
  globalThis.fetch = () =>
    Promise.resolve(new Response(JSON.stringify({ auditLogs: [ENTRY], nextPage: "" })));
  const log = document.createElement("visavis-audit-log");
  log.toggleAttribute("linked", isLinked);
  document.body.append(log);
  await expect.poll(() => log.shadowRoot?.querySelector("li")?.textContent).toContain("Zoë (Shop): 2");
  expect(log.shadowRoot!.querySelector('a[href="/library?recording=r1"]') !== null).toBe(isLinked);
  log.remove();
});
