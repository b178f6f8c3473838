import { expect, test } from "vitest";
import { deviceName } from "../src/agent/profile";

const SESSIONS = [
  {
    id: "s1",
    device: "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537",
    address: "",
    isCurrent: true,
  },
  { id: "s2", device: "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0", address: "192.0.2.7", isCurrent: false },
].map((one) => ({ ...one, createTime: "2026-01-31T09:00:00.000Z", lastUseTime: "2026-01-31T09:00:00.000Z" }));
const AGENT = {
  agentName: "Ann",
  email: "ann@example.com",
  siteId: 1,
  isAdministrator: false,
  unlistedProxies: [],
  permissions: [],
};

test("browsers are called by their names", () => {
  expect(SESSIONS.map((one) => deviceName(one.device))).toEqual(["Chrome · Linux", "Firefox · Windows"]);
  expect(deviceName("curl/8")).toBe("curl/8");
  expect(deviceName("")).toContain("unknown");
});

test("another browser is signed out, and a refused password is explained", async () => {
  const asked: string[] = [];
  globalThis.fetch = (input, init) => {
    const url = input as string;
    asked.push(`${init?.method ?? "GET"} ${url}`);
    if (url === "/session") return Promise.resolve(new Response(JSON.stringify(AGENT)));
    if (url === "/session/all") return Promise.resolve(new Response(JSON.stringify({ sessions: SESSIONS })));
    if (url === "/session/password")
      return Promise.resolve(
        new Response(
          JSON.stringify({ error: "Unauthorized", code: "WrongPassword", message: "It is wrong." }),
          { status: 401 },
        ),
      );
    return Promise.resolve(new Response(null, { status: 204 }));
  };
  const page = document.createElement("visavis-profile");
  document.body.append(page);
  const root = () => page.shadowRoot!;
  await expect.poll(() => root().querySelectorAll("li").length).toBe(2);
  const buttons = root().querySelectorAll<HTMLButtonElement>("li button");
  expect(buttons.length).toBe(1);
  buttons[0]!.click();
  await expect.poll(() => asked).toContain("DELETE /session/s2");
  root()
    .querySelector("form")!
    .dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
  await expect
    .poll(() => root().querySelector("form [role=alert]")?.textContent)
    .toContain("The e-mail address or the password is wrong.");
  page.remove();
});
