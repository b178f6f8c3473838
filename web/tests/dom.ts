// Components of the pages, drawn in the test's document.

import type { LitElement } from "lit";
import { settled } from "./fakes";

/** Let a component draw whatever it has been told by now. */
export const drawn = async (page: LitElement): Promise<ShadowRoot> => {
  for (let round = 0; round < 5; round += 1) {
    await settled();
    page.requestUpdate();
    await page.updateComplete;
  }
  return page.shadowRoot!;
};

export const mount = async <T extends LitElement>(name: string, properties: object = {}): Promise<T> => {
  const page = Object.assign(document.createElement(name) as T, properties);
  document.body.append(page);
  await drawn(page);
  return page;
};

/** The text as it is read: runs of white space are one space. */
export const textOf = (node: Node | null): string => (node?.textContent ?? "").replace(/\s+/g, " ").trim();

export const click = (root: ParentNode, selector: string): void =>
  root.querySelector<HTMLElement>(selector)!.click();

/** Fill in a field, as a person does. */
export const enter = (root: ParentNode, selector: string, value: string, event = "input"): void => {
  const field = root.querySelector<HTMLInputElement>(selector)!;
  field.value = value;
  field.dispatchEvent(new Event(event, { bubbles: true }));
};

export const submit = (root: ParentNode): void =>
  void root.querySelector("form")!.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));

export const SESSION = {
  agentName: "Ada",
  email: "ada@example.com",
  siteId: 1,
  isAdministrator: true,
  permissions: ["Manage Settings", "View Recordings", "View Audit Log", "Accept Audio & Video Chats"],
  unlistedProxies: [],
};
