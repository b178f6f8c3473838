// The list of past calls: what it calls them, and that it follows what happens.

import { afterEach, expect, test, vi } from "vitest";
import "../src/agent/call-history";
import type { CallHistory } from "../src/agent/call-history";
import { FakeSocket, settled } from "./fakes";
import { agentPage, reconnect } from "./pages";

const pastCall = (id: string, more: object = {}) => ({
  id,
  media: "audio",
  state: "ended",
  reason: "hungUp",
  visitorName: `Visitor ${id}`,
  visitorEmail: "",
  agentName: "Bo",
  createTime: `2026-01-01T00:00:${id}Z`,
  connectTime: "2026-01-01T00:01:00Z",
  duration: 65,
  recordingId: null,
  recordingState: null,
  missingMedia: [],
  message: "",
  ...more,
});

let answers: object[] = [];
const asked: string[] = [];

const openList = async () => {
  asked.length = 0;
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    const body = { audioVideoChats: answers, nextPage: "", message: "" };
    return Promise.resolve({ ok: true, json: () => Promise.resolve(body) });
  });
  const agentSession = await agentPage();
  const list = document.createElement("visavis-call-history") as CallHistory;
  list.agentSession = agentSession;
  document.body.append(list);
  const rows = async (): Promise<string[]> => {
    await vi.advanceTimersByTimeAsync(1_500);
    await settled();
    await list.updateComplete;
    return [...list.renderRoot.querySelectorAll("li")].map((row) =>
      row.textContent.replaceAll(/\s+/g, " ").trim(),
    );
  };
  return { agentSession, list, rows };
};

afterEach(() => document.body.replaceChildren());

test("a colleague's call and a visitor's message appear in the open list", async () => {
  answers = [pastCall("01")];
  const { agentSession, rows } = await openList();
  expect(await rows()).toHaveLength(1);

  answers = [pastCall("02", { message: "Call me" }), pastCall("01")];
  FakeSocket.latest.receive({ type: "pastCalls", revision: 1 });

  const [first, ...others] = await rows();
  expect(first).toContain("Visitor 02");
  expect(first).toContain("Call me");
  expect(others).toHaveLength(1);
  agentSession.close();
});

test("what happened while the socket was away appears after the reconnect", async () => {
  answers = [];
  const { agentSession, rows } = await openList();
  FakeSocket.latest.receive({ type: "pastCalls", revision: 1 });
  await rows();

  answers = [pastCall("03")];
  await reconnect();
  FakeSocket.latest.receive({ type: "pastCalls", revision: 1 }); // a server that was started again

  expect(await rows()).toHaveLength(1);
  agentSession.close();
});

test("a list that shows older calls keeps them when a new one comes", async () => {
  const many = Array.from({ length: 15 }, (_, n) => pastCall(String(30 - n)));
  answers = many;
  const { agentSession, rows } = await openList();
  await rows();

  answers = [pastCall("40"), ...many.slice(0, 14)];
  FakeSocket.latest.receive({ type: "pastCalls", revision: 1 });

  expect(await rows()).toHaveLength(16);
  agentSession.close();
});

test("a list that a dead network never answers says so", async () => {
  const { agentSession, list, rows } = await openList();
  const timedOut = new AbortController();
  vi.spyOn(AbortSignal, "timeout").mockReturnValue(timedOut.signal);
  vi.stubGlobal("fetch", (_: string, { signal }: RequestInit) => {
    return new Promise((_resolve, reject) =>
      signal!.addEventListener("abort", () => reject(new DOMException("", "TimeoutError"))),
    );
  });
  await rows();
  timedOut.abort();
  await rows();

  expect(list.renderRoot.querySelector('[role="alert"]')!.textContent).toContain("could not be loaded");
  agentSession.close();
});

test("the missed calls are those that nobody answered, whatever ended them", async () => {
  answers = [];
  const { agentSession, list, rows } = await openList();
  await rows();
  list.renderRoot.querySelectorAll<HTMLElement>(".filters button")[1]!.click();
  await rows();

  expect(asked.at(-1)).toContain("isAnswered=false");
  expect(asked.at(-1)).not.toContain("reason");
  agentSession.close();
});

test.each([
  [{}, "1:05 · Bo"],
  [{ reason: "abandoned", duration: 12 }, "the visitor left · 0:12 · Bo"],
  [{ reason: "failed", duration: null }, "connection lost · Bo"],
  [{ connectTime: null, duration: null }, "ended before it was connected · Bo"],
  [{ reason: "missed", connectTime: null, duration: null, agentName: "" }, "missed"],
])("a call is told as what it was: %j", async (call, words) => {
  answers = [pastCall("01", call)];
  const { agentSession, rows } = await openList();

  expect((await rows())[0]).toContain(words);
  agentSession.close();
});

test("an address cannot add anything to the mail that is written to it", async () => {
  answers = [pastCall("01", { visitorEmail: "a@example.com?bcc=b@example.com&body=x" })];
  const { list, rows } = await openList();
  await rows();
  const link = list.renderRoot.querySelector<HTMLAnchorElement>("a[href^='mailto:']")!;
  expect(link.getAttribute("href")).toBe("mailto:a%40example.com%3Fbcc%3Db@example.com%26body%3Dx");
  expect(link.textContent).toBe("a@example.com?bcc=b@example.com&body=x");
});
