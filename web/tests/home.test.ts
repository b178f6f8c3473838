import { afterEach, expect, test, vi } from "vitest";
import type { PageHeader } from "../src/shared/page-header";
import { SESSION } from "./dom";

const open = async (session: object | undefined): Promise<string[]> => {
  vi.resetModules();
  // The elements of the first import stay defined: a document knows each name once.
  const { define } = customElements;
  customElements.define = (name, element) =>
    void (customElements.get(name) ?? define.call(customElements, name, element));
  vi.stubGlobal("fetch", () =>
    Promise.resolve(session ? Response.json(session) : new Response(null, { status: 401 })),
  );
  const links = ["/demo", "/console", "/library", "/admin", "/docs"];
  document.body.innerHTML = `<visavis-header></visavis-header><ul class="cards">${links
    .map((path) => `<li><a href="${path}"></a></li>`)
    .join("")}</ul>`;
  await import("../src/shared/home");
  customElements.define = define;
  return [...document.querySelectorAll<HTMLAnchorElement>("li:not([hidden]) a")].map(
    ({ pathname }) => pathname,
  );
};

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("without a session every card is shown, as each leads to the sign-in page", async () => {
  expect(await open(undefined)).toEqual(["/demo", "/console", "/library", "/admin", "/docs"]);
  expect(document.querySelector<PageHeader>("visavis-header")!.session).toBeNull();
});

test("an agent sees the cards of the pages that they may open", async () => {
  expect(await open({ ...SESSION, permissions: ["View Recordings"] })).toEqual([
    "/demo",
    "/library",
    "/docs",
  ]);
  expect(document.querySelector<PageHeader>("visavis-header")!.session?.agentName).toBe("Ada");
});
