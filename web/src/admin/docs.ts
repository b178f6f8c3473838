import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle.js";
import type { PageHeader } from "../shared/page-header";
import "../shared/page-header";
import { readSession } from "../shared/session";
import { correct } from "./docs-semantics";

type CreateElement = (component: unknown, properties: object) => unknown;
type Ways = Record<string, string[]>[];

interface Description {
  servers: { url: string }[];
  paths: Record<string, Record<string, { security?: Ways }>>;
  components: {
    securitySchemes: Record<string, { flows?: Record<string, Record<string, unknown>> }>;
  };
}

/**
 * Schemes that the dialogue asks for under another name: it has room for one token and one pair of
 * name and password. A page cannot set a cookie's scheme; that of this browser is sent anyway.
 */
const SAME_AS: Record<string, string | undefined> = {
  uploadKey: "bearer",
  client: "key",
  session: undefined,
};

/** The same path at the host and port by which this page was opened: the only one it may call. */
const here = (url: string): string => {
  const { pathname } = new URL(url);
  return location.origin + (pathname === "/" ? "" : pathname);
};

const simplify = (ways: Ways): Ways =>
  ways.map((way) =>
    Object.fromEntries(
      Object.entries(way).flatMap(([name, scopes]) => {
        const shown = name in SAME_AS ? SAME_AS[name] : name;
        return shown ? [[shown, scopes]] : [];
      }),
    ),
  );

const adapt = (description: Description): Description => {
  const { servers, paths, components } = description;
  for (const server of servers) server.url = here(server.url);
  for (const name of Object.keys(SAME_AS)) delete components.securitySchemes[name];
  for (const flow of Object.values(components.securitySchemes["oauth"]?.flows ?? {}))
    for (const [name, value] of Object.entries(flow))
      if (name.endsWith("Url")) flow[name] = here(value as string);
  for (const item of Object.values(paths))
    for (const operation of Object.values(item))
      if (operation.security) operation.security = simplify(operation.security);
  return description;
};

/** A link inside a button is one control too many; the button sets the page's URL as well. */
const buttonsWithoutLinks = () => ({
  wrapComponents: {
    DeepLink: (Link: unknown, system: { React: { createElement: CreateElement } }) => (properties: object) =>
      system.React.createElement(Link, { ...properties, enabled: false }),
  },
});

const response = await fetch("/v4/openapi.json");

/** The API's own description, shown by a viewer that comes with us. */
SwaggerUIBundle({
  spec: adapt((await response.json()) as Description),
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "list",
  plugins: [buttonsWithoutLinks],
  oauth2RedirectUrl: `${location.origin}/docs/oauth2-redirect`,
}).initOAuth({ usePkceWithAuthorizationCodeGrant: true });

const FOCUSABLE = "a[href], button:not(:disabled), input, select, textarea";
let dialogue: Element | null = null;

/** The viewer's dialogue neither takes the focus, nor keeps it, nor says that it is a dialogue. */
const watchDialogue = (): void => {
  const shown = document.querySelector(".dialog-ux .modal-ux");
  if (shown === dialogue) return;
  dialogue = shown;
  shown?.setAttribute("role", "dialog");
  shown?.setAttribute("aria-modal", "true");
  shown?.setAttribute("aria-label", "Authorizations");
  const field = shown?.querySelector<HTMLElement>("input") ?? shown?.querySelector<HTMLElement>(FOCUSABLE);
  field?.focus();
};

new MutationObserver(() => {
  correct(document);
  watchDialogue();
}).observe(document.body, { childList: true, subtree: true });

document.addEventListener("keydown", (event) => {
  if (!dialogue) return;
  if (event.key === "Escape") {
    dialogue.querySelector<HTMLButtonElement>(".close-modal")?.click();
    document.querySelector<HTMLButtonElement>(".auth-wrapper > .authorize")?.focus();
  }
  if (event.key !== "Tab") return;
  const all = [...dialogue.querySelectorAll<HTMLElement>(FOCUSABLE)];
  const [from, to] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
  if (document.activeElement !== from) return;
  event.preventDefault();
  to?.focus();
});

document.querySelector<PageHeader>("visavis-header")!.session = await readSession();
