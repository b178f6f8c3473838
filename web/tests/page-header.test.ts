import { afterEach, expect, test, vi } from "vitest";
import "../src/shared/page-header";
import type { PageHeader } from "../src/shared/page-header";
import "../src/agent/signin";
import type { SignIn } from "../src/agent/signin";
import { AgentSession } from "../src/agent/agent-session";
import { FakeSocket, settled } from "./fakes";
import { connectedAgent, expectNoCall } from "./pages";

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

const headerOf = async (permissions: string[], current: PageHeader["current"]): Promise<ShadowRoot> => {
  const header = document.createElement("visavis-header");
  const session = { agentName: "Ann", email: "ann@example.com", siteId: 1, permissions };
  Object.assign(header, { session, current });
  document.body.append(header);
  await (header as PageHeader).updateComplete;
  return header.shadowRoot!;
};

const hrefs = (root: ShadowRoot): (string | null)[] =>
  [...root.querySelectorAll("nav a")].map((link) => link.getAttribute("href"));

test("the header links to the pages that the agent may open, and to no other", async () => {
  expect(hrefs(await headerOf(["View Recordings"], "library"))).toEqual(["/library", "/docs"]);
  const all = ["Manage Settings", "View Recordings", "Accept Audio & Video Chats"];
  expect(hrefs(await headerOf(all, "console"))).toEqual(["/console", "/library", "/admin", "/docs"]);
});

test("the header marks the page that is open", async () => {
  const root = await headerOf(["View Recordings"], "library");
  expect(root.querySelector("[aria-current=page]")?.getAttribute("href")).toBe("/library");
});

test("the sign-in says that the network is gone, and can be tried again", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
  const page = document.createElement("visavis-signin") as SignIn;
  document.body.append(page);
  await page.updateComplete;
  const form = page.shadowRoot!.querySelector("form")!;
  form.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
  await settled();
  await page.updateComplete;
  expect(page.shadowRoot!.querySelector("[role=alert]")?.textContent).toContain("cannot be reached");
  expect(page.shadowRoot!.querySelector("button")?.disabled).toBe(false);
});

test("the page of a link whose call is over says so and does not connect again", async () => {
  const agentSession = new AgentSession("ws://example.com?join=gone", "desk", true);
  FakeSocket.latest.drop(1008);
  await settled();
  expect(agentSession.isOver).toBe(true);
  expect(agentSession.hasEndedCall).toBe(false);
  const { latest } = FakeSocket;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSocket.latest).toBe(latest);
});

test("a console whose session has ended connects again", async () => {
  const agentSession = await connectedAgent();
  FakeSocket.latest.drop(1008);
  await settled();
  expectNoCall(agentSession);
  expect(agentSession.isOver).toBe(false);
  const { latest } = FakeSocket;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSocket.latest).not.toBe(latest);
  agentSession.close();
});

const pages = import.meta.glob<string>("../*.html", { query: "?raw", import: "default", eager: true });
const sources = import.meta.glob<string>("../src/**/*.ts", { query: "?raw", import: "default", eager: true });
const ours = Object.entries(pages).filter(([name]) => !name.endsWith("/demo.html"));

test.each(ours)("%s has the header, or the brand that leads to the first page", (_, source) => {
  const page = new DOMParser().parseFromString(source, "text/html");
  const hasOwnHeader = page.querySelector("visavis-header, header > a.brand[href='/'] > img") !== null;
  const shown = [...page.body.children].map(({ localName }) => `customElement("${localName}")`);
  const script = page.querySelector("script")?.getAttribute("src") ?? "";
  const code = Object.entries(sources).filter(
    ([path, text]) => path === `..${script}` || shown.some((element) => text.includes(element)),
  );
  const isInCode = code.some(([, text]) =>
    /<visavis-header|new Console\(|class="brand" href="\/"/.test(text),
  );
  expect(hasOwnHeader || isInCode).toBe(true);
});
