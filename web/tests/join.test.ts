// The visitor's page of a join link: one sentence for each stage, and none twice.

import { afterEach, expect, test, vi } from "vitest";
import "../src/visitor/join";
import type { Join } from "../src/visitor/join";
import type { Widget } from "../src/visitor/widget";
import { settled } from "./fakes";

const openPage = async (status = 200) => {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  vi.stubGlobal("fetch", () => Promise.resolve({ status, ok: status === 200 }));
  const page = document.createElement("visavis-join") as Join;
  document.body.append(page);
  await settled();
  await page.updateComplete;
  const widget = () => page.renderRoot.querySelector<Widget>("visavis-widget");
  const happens = async (name: string, detail: object): Promise<void> => {
    widget()!.dispatchEvent(new CustomEvent(name, { detail }));
    await page.updateComplete;
  };
  const text = () => page.renderRoot.querySelector("main")!.textContent.replace(/\s+/g, " ").trim();
  return { widget, happens, text };
};

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("the page says that the agent waits, until the call is connected", async () => {
  const { happens, text } = await openPage();
  expect(text()).toBe("Your call Your agent is expecting you.");
  await happens("connected", { callId: "c1", agentName: "Bo" });
  expect(text()).toBe("Your call");
});

test("the end is said once", async () => {
  const { widget, happens, text } = await openPage();
  await happens("ended", { callId: "c1", reason: "hungUp", by: "agent" });
  expect(text()).toBe("The call has ended You can close this page.");
  expect(widget()!.closest("[hidden]")).not.toBeNull();
});

test("another end, and lines that were not sent, stay to be read", async () => {
  const { widget, happens } = await openPage();
  await happens("ended", { callId: "c1", reason: "failed", by: "visitor" });
  expect(widget()!.closest("[hidden]")).toBeNull();
  widget()!.visitor!.unsent = "Are you still there?";
  await happens("ended", { callId: "c1", reason: "hungUp", by: "agent" });
  expect(widget()!.closest("[hidden]")).toBeNull();
});

test("a link that is over says so", async () => {
  const { widget, text } = await openPage(404);
  expect(text()).toContain("This call is over");
  expect(widget()).toBeNull();
});

test("a page that cannot ask whether its link is over stays a page for the call", async () => {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
  const page = document.createElement("visavis-join") as Join;
  document.body.append(page);
  await settled();
  await page.updateComplete;
  expect(page.renderRoot.querySelector("visavis-widget")).not.toBeNull();
});
