declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  interface SwaggerUI {
    initOAuth(options: Record<string, unknown>): void;
  }
  const SwaggerUIBundle: (options: Record<string, unknown>) => SwaggerUI;
  export default SwaggerUIBundle;
}

declare module "swagger-ui-dist/oauth2-redirect.js";
