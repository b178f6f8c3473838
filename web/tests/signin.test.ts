// The sign-in: where it leads, and its sentence for a wrong password.

import { afterEach, expect, test, vi } from "vitest";
import { nextPage } from "../src/agent/signin";
import type { SignIn } from "../src/agent/signin";
import { settled } from "./fakes";

afterEach(() => {
  document.body.replaceChildren();
  history.replaceState(null, "", "/");
});

test.each([
  ["", "/console"],
  ["?next=/library%3Frecording%3Dr1", "/library?recording=r1"],
  ["?next=https://evil.example/", "/console"],
  ["?next=//evil.example/", "/console"],
  ["?next=javascript:alert(1)", "/console"],
])("after the sign-in %j leads to %s", (query, path) => {
  history.replaceState(null, "", `/signin${query}`);
  expect(new URL(nextPage(), location.origin).href).toBe(location.origin + path);
});

test("a wrong password is explained, and can be typed again", async () => {
  vi.stubGlobal("fetch", () =>
    Promise.resolve(Response.json({ error: "Unauthorized", code: "WrongPassword" }, { status: 401 })),
  );
  const page = document.createElement("visavis-signin") as SignIn;
  document.body.append(page);
  await page.updateComplete;
  page.shadowRoot!.querySelector("form")!.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
  await settled();
  await page.updateComplete;
  expect(page.shadowRoot!.querySelector("[role=alert]")!.textContent).toContain(
    "The e-mail address or the password is wrong.",
  );
  expect(page.shadowRoot!.querySelector("button")!.disabled).toBe(false);
});
