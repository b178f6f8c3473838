// Typed text: lengths are counted in code points, and only what UTF-8 cannot hold is left out.

import { expect, test } from "vitest";
import "../src/call/chat-view";
import type { ChatView } from "../src/call/chat-view";
import { limited, shorten } from "../src/shared/text";
import { FakeSocket } from "./fakes";
import { connectedVisitor } from "./pages";

const FAMILY = "\u{1F469}\u200D\u{1F469}\u200D\u{1F467}";

test("lengths are counted in code points", () => {
  expect(shorten("\u{1F600}".repeat(250), 200)).toBe("\u{1F600}".repeat(200));
  expect(shorten("Jean\u00A0Dupont", 200)).toBe("Jean\u00A0Dupont");
});

test("a field takes as many emoji as letters, and no more than its limit", () => {
  const field = document.createElement("input");
  field.addEventListener("input", limited(3));
  const typed = (value: string): string => {
    field.value = value;
    field.dispatchEvent(new Event("input"));
    return field.value;
  };

  expect(typed("\u{1F600}\u{1F600}\u{1F600}")).toBe("\u{1F600}\u{1F600}\u{1F600}");
  expect(typed("\u{1F600}abc")).toBe("\u{1F600}ab");
});

test.each([FAMILY, "\u3000\u543E\u8F29\u306F\u732B", "\u0639\u0644\u06CC\u200C\u0631\u0636\u0627"])(
  "a chat line is sent as it was written: %s",
  async (text) => {
    const { visitor } = await connectedVisitor();
    const chat = document.createElement("visavis-chat") as ChatView;
    chat.conversation = visitor.conversation!;
    document.body.append(chat);
    await chat.updateComplete;
    chat.renderRoot.querySelector("input")!.value = text;
    chat.renderRoot.querySelector("form")!.dispatchEvent(new Event("submit"));

    expect(FakeSocket.latest.ofType("say")).toMatchObject([{ text }]);
    chat.remove();
    visitor.close();
  },
);

test("half an emoji, which the server could not read, does not hold up the rest of a message", async () => {
  const { visitor } = await connectedVisitor();

  visitor.conversation!.say(`Hello \uD83D${FAMILY}`);

  expect(FakeSocket.latest.ofType("say")).toMatchObject([{ text: `Hello ${FAMILY}` }]);
  visitor.close();
});
