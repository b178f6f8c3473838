import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle.js";

/** The API's own description, shown by a viewer that comes with us. */
SwaggerUIBundle({
  url: "/v4/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "list",
});
