// The widget at each stage of a call, and the changes that its buttons and methods make.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { VisitorSession } from "../src/visitor/visitor-session";
import "../src/visitor/widget";
import type { Widget } from "../src/visitor/widget";
import { click, drawn, mount, textOf } from "./dom";
import { FakeAudio, FakeSocket, settled } from "./fakes";
import { AVAILABLE, connectedVisitor, expectNoCall, placedCall, visitorPage } from "./pages";

let isSmallScreen: boolean;
const widgets: Widget[] = [];

const openWidget = async (visitor: VisitorSession) => {
  const widget = await mount<Widget>("visavis-widget", { visitor });
  widgets.push(widget);
  const root = widget.shadowRoot!;
  const press = async (selector: string): Promise<void> => {
    click(root, selector);
    await settled();
    await drawn(widget);
  };
  const tell = async (message: object): Promise<void> => {
    FakeSocket.latest.receive(message);
    await drawn(widget);
  };
  return { widget, root, press, tell };
};

/** A widget on a page of its own, which decides by the screen what it shows first. */
const loadWidget = async () => {
  const widget = await mount<Widget>("visavis-widget");
  widgets.push(widget);
  FakeSocket.latest.open();
  FakeSocket.latest.receive(AVAILABLE);
  return { widget, root: await drawn(widget) };
};

beforeEach(() => {
  isSmallScreen = false;
  vi.stubGlobal("AudioContext", FakeAudio);
  vi.stubGlobal("matchMedia", () => ({ matches: isSmallScreen }));
});
afterEach(async () => {
  for (const widget of widgets.splice(0)) widget.destroy();
  await settled();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("on a small screen the round button comes first, and opens the card", async () => {
  isSmallScreen = true;
  const { widget, root } = await loadWidget();
  expect(root.querySelector(".card")).toBeNull();
  click(root, ".launcher");
  await drawn(widget);
  expect(root.querySelector("#video")).not.toBeNull();
  expect(root.activeElement?.id).toBe("video");
});

test("a card that was made small stays small on the next page, until it is opened", async () => {
  const first = await loadWidget();
  click(first.root, "#minimize");
  await drawn(first.widget);
  expect(first.root.activeElement?.className).toContain("launcher");
  const second = await loadWidget();
  expect(second.root.querySelector(".card")).toBeNull();
  click(second.root, ".launcher");
  const third = await loadWidget();
  expect(third.root.querySelector(".card")).not.toBeNull();
});

test("a call shrinks to a bar with the name, the time and the two buttons that matter", async () => {
  const { visitor } = await connectedVisitor();
  const { widget, root, press } = await openWidget(visitor);
  widget.minimize();
  vi.advanceTimersByTime(2_000);
  await drawn(widget);
  expect(textOf(root.querySelector(".line-bar"))).toMatch(/^Bo 0:02$/);
  expect(root.querySelector<HTMLElement>(".content")!.hidden).toBe(true);
  await press("#restore");
  expect(root.querySelector<HTMLElement>(".content")!.hidden).toBe(false);
  widget.minimize();
  await drawn(widget);
  await press(".line-bar .danger");
  expect(root.querySelector(".line-bar")).toBeNull();
  expect(textOf(root.querySelector(".title"))).toBe("The call has ended.");
  expectNoCall(visitor);
});

test("an invitation shows a hidden widget, and can be answered or declined", async () => {
  const { visitor } = await visitorPage();
  const { widget, root, press, tell } = await openWidget(visitor);
  widget.hide();
  await drawn(widget);
  expect(root.querySelector(".card")).toBeNull();
  const invitation = { type: "invited", invitation: "i1", agentName: "Bo", media: "audio" };
  await tell(invitation);
  expect(textOf(root.querySelector("[role=alert]"))).toBe("Bo invites you to an audio call.");
  await press(".buttons button:nth-child(2)");
  expect(root.querySelector("[role=alert]")).toBeNull();
  await tell(invitation);
  await press(".buttons .primary");
  expect([visitor.stage, visitor.media]).toEqual(["checking", "audio"]);
});

test("while a call rings it can be cancelled, and Escape ends the check but not the call", async () => {
  const { visitor } = await placedCall();
  const { root, press } = await openWidget(visitor);
  expect(textOf(root.querySelector("[role=status]"))).toBe("Calling …");
  const escape = () =>
    root.querySelector(".card")!.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  escape();
  expect(visitor.stage).toBe("calling");
  await press(".danger");
  expect(textOf(root.querySelector(".title"))).toBe("The call was cancelled.");
  await press("#video");
  expect(visitor.stage).toBe("checking");
  escape();
  await settled();
  expect(visitor.stage).toBe("idle");
  expectNoCall(visitor);
});

test("after a call that nobody took a message can be left; after others there are the two buttons", async () => {
  const { visitor } = await placedCall();
  const { root, tell, press } = await openWidget(visitor);
  await tell({ type: "ended", callId: "c1", reason: "missed", by: "system" });
  expect(textOf(root.querySelector(".title"))).toBe("Nobody can take your call right now.");
  expect(root.querySelector("visavis-message")).not.toBeNull();
  expect(root.querySelector("#video")).toBeNull();
  await press(".head button");
  expect(root.querySelector("#video")).not.toBeNull();
});

test("calls that are switched off hide the idle widget, and are told to those who are in one", async () => {
  const { visitor } = await placedCall();
  const { root, tell } = await openWidget(visitor);
  await tell({ ...AVAILABLE, isEnabled: false });
  expect(root.querySelector(".card")).not.toBeNull();
  await tell({ type: "ended", callId: "c1", reason: "disabled", by: "system" });
  expect(textOf(root.querySelector(".title"))).toContain("Calls have just been switched off.");
  visitor.dismiss();
  await drawn(root.host as Widget);
  expect(root.querySelector(".card, .launcher")).toBeNull();
});

test("a call that is resumed after a reload says so while the devices are opened", async () => {
  const { visitor } = await visitorPage();
  visitor.stage = "reconnecting";
  const { root } = await openWidget(visitor);
  expect(textOf(root.querySelector("[role=status]"))).toBe("Reconnecting …");
  visitor.stage = "idle";
});

test.each([
  ["left", "24,80", true, "24px", "80px"],
  ["right", "16", false, "16px", "16px"],
  [undefined, "-5,x", false, "", ""],
])("the widget stands where the page wants it: %s %s", async (position, offset, isLeft, x, y) => {
  const { widget } = await loadWidget();
  widget.place(position, offset);
  expect(widget.hasAttribute("left")).toBe(isLeft);
  expect(widget.style.getPropertyValue("--offset-x")).toBe(x);
  expect(widget.style.getPropertyValue("--offset-y")).toBe(y);
});
