import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle.js";
import { t } from "../shared/i18n/en-pages";
import type { PageHeader } from "../shared/page-header";
import "../shared/page-header";
import { readSession } from "../shared/session";
import { adapt, type Description } from "./docs-description";
import { DialogueFocus } from "./docs-dialogue";
import { correct } from "./docs-semantics";

type CreateElement = (component: unknown, properties: object) => unknown;

/** Plugin that draws the name of an operation without a link: it stands in a button, which sets the URL as well. */
const buttonsWithoutLinks = () => ({
  wrapComponents: {
    DeepLink: (Link: unknown, system: { React: { createElement: CreateElement } }) => (properties: object) =>
      system.React.createElement(Link, { ...properties, enabled: false }),
  },
});

const readDescription = async (): Promise<Description> => {
  const response = await fetch("/v4/openapi.json");
  if (!response.ok) throw new Error(response.statusText);
  return (await response.json()) as Description;
};

/** Draw the API's description by Swagger UI, which is part of this build. */
const show = (description: Description): void => {
  SwaggerUIBundle({
    spec: adapt(description),
    dom_id: "#api",
    deepLinking: true,
    validatorUrl: null,
    docExpansion: "list",
    plugins: [buttonsWithoutLinks],
    oauth2RedirectUrl: `${location.origin}/docs/oauth2-redirect`,
  }).initOAuth({ usePkceWithAuthorizationCodeGrant: true });
};

const showFailure = (): void => {
  const text = document.createElement("p");
  text.className = "narrow";
  text.role = "alert";
  text.textContent = t("loadFailed");
  document.querySelector("#api")!.replaceChildren(text);
};

const focus = new DialogueFocus();
new MutationObserver(() => {
  correct(document);
  focus.follow();
}).observe(document.body, { childList: true, subtree: true });

const showSession = async (): Promise<void> => {
  document.querySelector<PageHeader>("visavis-header")!.session = await readSession();
};

// Swagger UI takes seconds, during which a person who is signed in must not be offered to sign in.
await Promise.all([showSession(), readDescription().then(show, showFailure)]);
