import { afterEach, expect, test } from "vitest";
import "../src/visitor/message-form";
import type { MessageForm } from "../src/visitor/message-form";
import { enter, mount, submit } from "./dom";
import { FakeSocket } from "./fakes";
import { AVAILABLE, visitorPage } from "./pages";

const openForm = async (unsent = "") => {
  const { visitor } = await visitorPage();
  FakeSocket.latest.receive({ ...AVAILABLE, isStaffed: false });
  await visitor.prepare("audio");
  visitor.unsent = unsent;
  const { shadowRoot } = await mount<MessageForm>("visavis-message", { visitor });
  return { visitor, root: shadowRoot! };
};

afterEach(() => document.body.replaceChildren());

test("a message is sent with the name and the address of the person who wrote it", async () => {
  const { visitor, root } = await openForm();
  enter(root, "input[name=name]", " Ann ");
  enter(root, "input[name=email]", "ann@example.com");
  enter(root, "textarea", "Call me back ");
  submit(root);
  expect(FakeSocket.latest.ofType("leaveMessage")).toMatchObject([
    { text: "Call me back ", name: "Ann", email: "ann@example.com" },
  ]);
  expect(visitor.notice).toBe("Your message is being sent …");
  visitor.close();
});

test("a message of white space is not sent", async () => {
  const { visitor, root } = await openForm();
  enter(root, "textarea", " \n ");
  submit(root);
  expect(FakeSocket.latest.ofType("leaveMessage")).toEqual([]);
  visitor.close();
});

test("lines that were not sent are in the field, and a text stays while the widget shows something else", async () => {
  const { visitor, root } = await openForm("Hello?");
  expect(root.querySelector("textarea")!.value).toBe("Hello?");
  enter(root, "textarea", "Hello? Anybody?");
  document.body.replaceChildren();
  const again = await mount<MessageForm>("visavis-message", { visitor });
  expect(again.shadowRoot!.querySelector("textarea")!.value).toBe("Hello? Anybody?");
  visitor.close();
});
