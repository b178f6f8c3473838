// The widget in a stranger's page: what it offers when nobody is on duty, and how it keeps host styles out.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LitElement } from "lit";
import { Widget } from "../src/visitor/widget";
import type { VisitorSession } from "../src/visitor/visitor-session";
import { FakeSocket, settled } from "./fakes";
import { AVAILABLE, callState, expectNoCall, placedCall, visitorPage } from "./pages";

const INHERITED = [
  "direction",
  "letter-spacing",
  "word-spacing",
  "text-transform",
  "text-indent",
  "text-align",
  "text-shadow",
  "white-space",
  "font-style",
  "font-variant",
  "font-weight",
  "font-size",
  "line-height",
  "font-family",
  "color",
  "cursor",
  "visibility",
  "word-break",
  "hyphens",
  "writing-mode",
];
const PARTS = [
  "visavis-widget",
  "visavis-call",
  "visavis-check",
  "visavis-chat",
  "visavis-devices",
  "visavis-message",
  "visavis-quality",
];

const widgetOf = async (visitor: VisitorSession) => {
  const widget = new Widget();
  widget.visitor = visitor;
  document.body.append(widget);
  const shown = async (): Promise<string> => {
    await settled();
    widget.requestUpdate();
    await widget.updateComplete;
    return widget.renderRoot.textContent.replace(/\s+/g, " ").trim();
  };
  await shown();
  return { root: widget.shadowRoot!, shown };
};

const stylesOf = (name: string): string =>
  (customElements.get(name) as typeof LitElement).elementStyles
    .map((style) => ("cssText" in style ? style.cssText : ""))
    .join("\n");

beforeEach(() => vi.stubGlobal("matchMedia", () => ({ matches: false })));
afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("while nobody is on duty the widget says so, and offers the message and no queue", async () => {
  const { visitor } = await visitorPage();
  FakeSocket.latest.receive({ ...AVAILABLE, isStaffed: false });
  const { root, shown } = await widgetOf(visitor);

  expect(await shown()).toContain("Nobody is here right now.");
  expect(root.querySelector("#video, #audio")).toBeNull();
  root.querySelector<HTMLElement>("#message")!.click();
  await shown();
  expect(root.querySelector("visavis-message")).not.toBeNull();
  expect(FakeSocket.latest.ofType("call")).toEqual([]);
  expectNoCall(visitor);
});

test("while everybody is busy the widget says so with the place in the queue", async () => {
  const { visitor } = await placedCall();
  const { shown } = await widgetOf(visitor);
  FakeSocket.latest.receive(callState("c1", "queued"));
  FakeSocket.latest.receive({ type: "queued", callId: "c1", place: 2 });

  expect(await shown()).toContain("Everybody is busy right now. You are in the queue. Your place: 2");
  visitor.hangUp();
  expectNoCall(visitor);
});

test.each(PARTS)("no size of %s depends on the host page's root font", (name) => {
  expect(stylesOf(name)).not.toBe("");
  expect(stylesOf(name)).not.toMatch(/\drem\b/);
});

test.each(INHERITED)("the widget does not inherit %s", (property) => {
  expect(stylesOf("visavis-widget")).toMatch(new RegExp(`[ {]${property}: [^;]+ !important`));
});

test("the widget's own direction holds in a page from right to left", async () => {
  document.documentElement.dir = "rtl";
  const { visitor } = await visitorPage();
  const { root } = await widgetOf(visitor);
  expect(root.querySelector(".card")!.getAttribute("dir")).toBe("ltr");
  document.documentElement.dir = "";
});

const sources = import.meta.glob<string>("../src/**/*.ts", { query: "?raw", import: "default", eager: true });
const PAGES = import.meta.glob<string>("../*.html", { query: "?raw", import: "default", eager: true });

test("no template has a style attribute, which a strict policy refuses", () => {
  expect(Object.keys(sources).length).toBeGreaterThan(50);
  const found = Object.entries({ ...sources, ...PAGES }).filter(([, text]) => /[\s"'`]style=/.test(text));
  expect(found.map(([path]) => path)).toEqual([]);
});
