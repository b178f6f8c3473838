import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle.js";
import type { PageHeader } from "./page-header";
import "./page-header";
import { readSession } from "./session";

/** The API's own description, shown by a viewer that comes with us. */
SwaggerUIBundle({
  url: "/v4/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "list",
});

// The viewer has a dark scheme of its own, which a class switches on.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

document.querySelector<PageHeader>("visavis-header")!.session = await readSession();
