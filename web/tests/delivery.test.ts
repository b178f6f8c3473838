// The delivery card of the settings: numbers in whole sentences.

import { afterEach, expect, test, vi } from "vitest";
import "../src/admin/delivery";
import type { Delivery } from "../src/admin/delivery";
import { settled } from "./fakes";

const NOTHING = {
  pending: 0,
  failed: 0,
  incomplete: 0,
  missing: 0,
  oldestPending: null,
  lastSuccess: null,
  lastError: null,
  lastErrorTime: null,
  recordings: [],
};

const shown = async (backlog: object): Promise<string> => {
  vi.stubGlobal("fetch", () =>
    Promise.resolve({ ok: true, json: () => Promise.resolve({ ...NOTHING, ...backlog }) }),
  );
  const card = document.createElement("visavis-delivery") as Delivery;
  document.body.append(card);
  await settled();
  await card.updateComplete;
  return card.renderRoot.textContent.replace(/\s+/g, " ");
};

afterEach(() => document.body.replaceChildren());

test("calls that have not been delivered are counted in whole sentences", async () => {
  expect(await shown({ missing: 1 })).toContain("1 call of the last 30 days has not been delivered yet.");
  expect(await shown({ missing: 2 })).toContain("2 calls of the last 30 days have not been delivered yet.");
});

test("nothing that waits is said in words", async () => {
  expect(await shown({})).toContain("No recordings are waiting for delivery.");
});
