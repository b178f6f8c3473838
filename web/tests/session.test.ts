// The session: asked for until the server answers, and ended only when the server says so.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import "../src/admin/admin";
import "../src/agent/console";
import "../src/agent/profile";
import "../src/library/library";
import type { LitElement } from "lit";
import type { PageHeader } from "../src/shared/page-header";
import { checkSession, readSession, requireSession, signOut } from "../src/shared/session";
import { click, drawn, mount, SESSION, textOf } from "./dom";
import { settled } from "./fakes";

const assign = vi.fn();
type Answer = () => Promise<Response>;
const ok: Answer = () => Promise.resolve(Response.json(SESSION));
const away: Answer = () => Promise.reject(new TypeError("network"));
const status = (code: number) => () => Promise.resolve(new Response(null, { status: code }));

/** Answer the requests in this order, the last answer also after that. */
const answer = (...answers: Answer[]) => {
  const fetch = vi.fn((url: string, _init?: RequestInit): Promise<Response> => {
    if (url !== "/session") return new Promise(() => {});
    return (answers.length > 1 ? answers.shift()! : answers[0]!)();
  });
  vi.stubGlobal("fetch", fetch);
  return fetch;
};

beforeEach(() => {
  assign.mockReset();
  vi.stubGlobal("location", {
    assign,
    pathname: "/library",
    origin: "http://x",
    search: "",
    href: "http://x/",
  });
});
afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("nobody is signed in for a page that anybody may read, also while the server is away", async () => {
  answer(ok);
  expect(await readSession()).toEqual(SESSION);
  answer(status(401));
  expect(await readSession()).toBeNull();
  answer(away);
  expect(await readSession()).toBeNull();
  expect(assign).not.toHaveBeenCalled();
});

test("only the answer 401 leads to the sign-in page", async () => {
  answer(status(503), status(401));
  await expect(checkSession()).rejects.toThrow("503");
  expect(assign).not.toHaveBeenCalled();
  void checkSession();
  await settled();
  expect(assign).toHaveBeenCalledWith("/signin?next=%2Flibrary");
});

test("a server that is away is asked again until it answers", async () => {
  const fetch = answer(away, status(502), ok);
  const onAway = vi.fn();
  const session = requireSession(onAway);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await session).toEqual(SESSION);
  expect(fetch).toHaveBeenCalledTimes(3);
  expect(onAway).toHaveBeenCalledTimes(2);
});

test.each(["visavis-admin", "visavis-library", "visavis-profile", "visavis-console"])(
  "%s says that the server is away, and opens when it is back",
  async (name) => {
    vi.stubGlobal(
      "EventSource",
      class extends EventTarget {
        close(): void {}
      },
    );
    answer(away, ok);
    const page = await mount<LitElement>(name);
    expect(textOf(page.shadowRoot)).toBe("The server cannot be reached. Trying again …");
    await vi.advanceTimersByTimeAsync(3_000);
    const root = await drawn(page);
    expect(root.querySelector("visavis-header")).not.toBeNull();
    expect(textOf(root)).not.toContain("The server cannot be reached");
  },
);

test("the page is left for the sign-in once the server has ended the session", async () => {
  answer(status(204));
  expect(await signOut()).toBe(true);
  answer(status(401)); // it had ended already
  expect(await signOut()).toBe(true);
  expect(assign.mock.calls).toEqual([["/signin"], ["/signin"]]);
});

test.each([away, status(503)])("a sign-out that did not work is told", async (failure) => {
  const fetch = answer(failure);
  const header = await mount<PageHeader>("visavis-header", { session: SESSION });
  click(header.shadowRoot!, "button");
  const root = await drawn(header);
  expect(fetch.mock.calls[0]).toEqual(["/session", { method: "DELETE" }]);
  expect(assign).not.toHaveBeenCalled();
  expect(textOf(root.querySelector("[role=alert]"))).toBe("Signing out did not work. Please try again.");
});
