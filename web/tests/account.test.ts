// The agent's account: a new password, and the end of sessions.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import "../src/agent/profile";
import type { Profile } from "../src/agent/profile";
import { drawn, enter, mount, SESSION, submit, textOf } from "./dom";

const ENTRY = {
  device: "Firefox/140.0 Windows",
  createTime: "2026-01-31T09:00:00Z",
  lastUseTime: "2026-01-31T09:00:00Z",
};
const SESSIONS = [
  { ...ENTRY, id: "s1", address: "", isCurrent: true },
  { ...ENTRY, id: "s2", address: "192.0.2.7", isCurrent: false },
];
const assign = vi.fn();
let answer: (request: string, init?: RequestInit) => Promise<Response>;

const openPage = async () => {
  vi.stubGlobal("fetch", (url: string, init?: RequestInit) => {
    if (url === "/session" && !init) return Promise.resolve(Response.json(SESSION));
    return answer(`${init?.method ?? "GET"} ${url}`, init);
  });
  const page = await mount<Profile>("visavis-profile");
  const root = page.shadowRoot!;
  const button = (text: string) => [...root.querySelectorAll("button")].find((one) => textOf(one) === text)!;
  const alerts = () => [...root.querySelectorAll("[role=alert]")].map(textOf).filter(Boolean);
  return { page, root, button, alerts };
};

const listed = () => Promise.resolve(Response.json({ sessions: SESSIONS }));
const done = () => Promise.resolve(new Response(null, { status: 204 }));
const failed = () => Promise.reject(new TypeError("network"));

beforeEach(() => {
  assign.mockReset();
  vi.stubGlobal("location", { assign, pathname: "/profile" });
  answer = listed;
});
afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("a new password is confirmed, and the fields are empty after that", async () => {
  const { page, root, button } = await openPage();
  const sent: unknown[] = [];
  let accept = () => undefined as void;
  answer = (request, init) => {
    if (request === "GET /session/all") return listed();
    sent.push([request, JSON.parse(init!.body as string)]);
    return new Promise((resolve) => (accept = () => resolve(Response.json(SESSION))));
  };
  enter(root, "input[name=currentPassword]", "old secret");
  enter(root, "input[name=newPassword]", "a better secret");
  submit(root);
  await drawn(page);
  expect(button("Change password").disabled).toBe(true);
  accept();
  await drawn(page);
  expect(sent).toEqual([
    ["POST /session/password", { currentPassword: "old secret", newPassword: "a better secret" }],
  ]);
  expect(textOf(root.querySelector("form [role=status]"))).toContain("Your password has been changed");
  expect(root.querySelector<HTMLInputElement>("input[name=newPassword]")!.value).toBe("");
  expect(button("Change password").disabled).toBe(false);
});

test("a password that could not be sent stays in its field", async () => {
  const { page, root, button, alerts } = await openPage();
  answer = failed;
  enter(root, "input[name=newPassword]", "a better secret");
  submit(root);
  await drawn(page);
  expect(alerts()).toEqual(["This could not be saved. Please try again."]);
  expect(root.querySelector<HTMLInputElement>("input[name=newPassword]")!.value).toBe("a better secret");
  expect(button("Change password").disabled).toBe(false);
});

test("signing out everywhere leads to the sign-in page, unless it did not work", async () => {
  const { page, button, alerts } = await openPage();
  answer = failed;
  button("Sign out everywhere").click();
  await drawn(page);
  expect(alerts()).toEqual(["Signing out did not work. Please try again."]);
  expect(assign).not.toHaveBeenCalled();
  answer = done;
  button("Sign out everywhere").click();
  await drawn(page);
  expect(assign).toHaveBeenCalledWith("/signin");
});

test("another session that did not end is told, and one that had ended already is not", async () => {
  const { page, root, alerts } = await openPage();
  const end = async (status: number): Promise<void> => {
    answer = (request) =>
      request === "GET /session/all" ? listed() : Promise.resolve(new Response(null, { status }));
    root.querySelector<HTMLButtonElement>("li button")!.click();
    await drawn(page);
  };
  await end(503);
  expect(alerts()).toEqual(["Signing out did not work. Please try again."]);
  await end(404);
  expect(alerts()).toEqual([]);
});

test("sessions that could not be loaded are told", async () => {
  answer = failed;
  const { alerts } = await openPage();
  expect(alerts()).toEqual(["This could not be loaded. Please try again."]);
});
