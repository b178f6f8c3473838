/** Passes the authorization code to the page /docs, which opened this window, and closes the window. */
import "swagger-ui-dist/oauth2-redirect.js";
