// The page of the REST API: what it makes of the description, and the focus of its dialogue.

import { afterEach, expect, test, vi } from "vitest";
import { adapt, type Description } from "../src/admin/docs-description";
import { DialogueFocus } from "../src/admin/docs-dialogue";
import type { PageHeader } from "../src/shared/page-header";

vi.mock("swagger-ui-dist/swagger-ui-es-bundle.js", () => ({ default: vi.fn() }));

const description = (): Description => ({
  servers: [{ url: "https://chat.example/" }, { url: "https://chat.example/base" }],
  paths: {
    "/a": {
      get: {
        security: [{ session: [] }, { bearer: [] }, { uploadKey: [] }, { client: [], oauth: ["read"] }],
      },
      put: {},
    },
  },
  components: {
    securitySchemes: {
      bearer: {},
      uploadKey: {},
      client: {},
      session: {},
      key: {},
      oauth: {
        flows: {
          authorizationCode: {
            authorizationUrl: "https://chat.example/oauth/authorize",
            tokenUrl: "https://chat.example/oauth/token",
            scopes: { read: "Read" },
          },
        },
      },
    },
  },
});

test("every URL is that of the page's own origin", () => {
  const { servers, components } = adapt(description());
  expect(servers.map(({ url }) => url)).toEqual([location.origin, `${location.origin}/base`]);
  const flow = components.securitySchemes["oauth"]!.flows!["authorizationCode"]!;
  expect(flow).toEqual({
    authorizationUrl: `${location.origin}/oauth/authorize`,
    tokenUrl: `${location.origin}/oauth/token`,
    scopes: { read: "Read" },
  });
});

test("only the schemes that a person can fill in are asked for", () => {
  const { paths, components } = adapt(description());
  expect(Object.keys(components.securitySchemes).sort()).toEqual(["bearer", "key", "oauth"]);
  expect(paths["/a"]!["get"]!.security).toEqual([
    {},
    { bearer: [] },
    { bearer: [] },
    { key: [], oauth: ["read"] },
  ]);
  expect(paths["/a"]!["put"]!.security).toBeUndefined();
});

const press = (key: string, shiftKey = false): KeyboardEvent => {
  const event = new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true });
  (document.activeElement ?? document.body).dispatchEvent(event);
  return event;
};

const focus = new DialogueFocus();

const openDialogue = () => {
  document.body.innerHTML = `<div class="auth-wrapper"><button class="authorize">Authorize</button></div>
    <div class="dialog-ux"><div class="modal-ux"><button class="close-modal">×</button><input id="token" /><button id="last">Close</button></div></div>`;
  focus.follow();
  document.querySelector(".close-modal")!.addEventListener("click", () => {
    document.querySelector(".dialog-ux")!.remove();
    focus.follow();
  });
  return document.querySelector(".modal-ux");
};

afterEach(() => document.body.replaceChildren());

test("the dialogue is one, and its first field has the focus", () => {
  const dialogue = openDialogue()!;
  expect(dialogue.getAttribute("role")).toBe("dialog");
  expect(dialogue.getAttribute("aria-modal")).toBe("true");
  expect(document.activeElement?.id).toBe("token");
});

test("Tab stays inside the dialogue in both directions", () => {
  openDialogue();
  document.querySelector<HTMLElement>("#last")!.focus();
  expect(press("Tab").defaultPrevented).toBe(true);
  expect(document.activeElement?.className).toBe("close-modal");
  expect(press("Tab", true).defaultPrevented).toBe(true);
  expect(document.activeElement?.id).toBe("last");
  document.querySelector<HTMLElement>("#token")!.focus();
  expect(press("Tab").defaultPrevented).toBe(false);
});

test("Escape closes the dialogue and gives the focus back", () => {
  openDialogue();
  press("Escape");
  expect(document.querySelector(".modal-ux")).toBeNull();
  expect(document.activeElement?.className).toBe("authorize");
  document.body.focus();
  expect(press("Tab").defaultPrevented).toBe(false);
});

test("a person who is signed in is known before the description is there", async () => {
  document.body.innerHTML = `<visavis-header></visavis-header><div id="api"></div>`;
  const answer = (url: string) =>
    url === "/session"
      ? Promise.resolve(Response.json({ agentName: "Ada", permissions: [] }))
      : new Promise(() => {});
  vi.stubGlobal("fetch", vi.fn(answer));
  void import("../src/admin/docs");
  const header = document.querySelector<PageHeader>("visavis-header")!;
  await vi.waitFor(() => expect(header.session?.agentName).toBe("Ada"));
});
