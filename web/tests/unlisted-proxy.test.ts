import { afterEach, expect, test, vi } from "vitest";
import "../src/admin/admin";

const SESSION = {
  agentName: "Ada",
  email: "ada@example.com",
  siteId: 1,
  isAdministrator: true,
  permissions: ["Manage Settings"],
};

const open = async (unlistedProxies: string[]): Promise<string> => {
  const answer = (url: string): Promise<Response> =>
    url === "/session"
      ? Promise.resolve(Response.json({ ...SESSION, unlistedProxies }))
      : new Promise(() => {});
  vi.stubGlobal("fetch", answer);
  vi.stubGlobal(
    "EventSource",
    class extends EventTarget {
      close(): void {}
    },
  );
  const page = document.createElement("visavis-admin");
  document.body.append(page);
  await vi.waitFor(() => expect(page.shadowRoot?.querySelector("main")).toBeTruthy());
  const text = page.shadowRoot?.querySelector("main")?.textContent ?? "";
  page.remove();
  return text;
};

afterEach(() => {
  vi.unstubAllGlobals();
});

test("a proxy that is not listed is named with the setting to use", async () => {
  const text = await open(["10.0.0.5"]);
  expect(text).toContain("10.0.0.5");
  expect(text).toContain("--trusted-proxy");
});

test("without one nothing is said", async () => {
  expect(await open([])).not.toContain("--trusted-proxy");
});
