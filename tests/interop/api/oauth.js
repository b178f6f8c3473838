// oauth4webapi against our authorization server: every grant, introspection and revocation.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";

const [issuer, email, password, publicId, confidentialId, secret] = process.argv.slice(2);
const insecure = { [oauth.allowInsecureRequests]: true }; // loopback
const redirectUri = "http://127.0.0.1:49152/callback";

/** A browser whose agent signs in and allows what the client asks for; returns the redirect. */
async function allow(url) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" } };
  const body = JSON.stringify({ email, password });
  const session = await fetch(`${issuer}/session`, { ...options, body });
  assert.equal(session.status, 200);
  const cookie = session.headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
  const page = await (await fetch(url, { headers: { cookie } })).text();
  const [, proof] = /name="proof" value="(\w+)"/.exec(page);
  const form = new URLSearchParams({ proof, decision: "allow" });
  const answer = await fetch(url, { method: "POST", headers: { cookie }, body: form, redirect: "manual" });
  assert.equal(answer.status, 302);
  return new URL(answer.headers.get("location"));
}

const server = await oauth.processDiscoveryResponse(
  new URL(issuer),
  await oauth.discoveryRequest(new URL(issuer), { algorithm: "oauth2", ...insecure }),
);
const app = { client_id: publicId };
const service = { client_id: confidentialId };
const open = oauth.None();

// Authorization code with PKCE
const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const url = new URL(server.authorization_endpoint);
url.search = new URLSearchParams({
  client_id: publicId,
  redirect_uri: redirectUri,
  response_type: "code",
  scope: "manage_settings view_audit_log",
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});
const parameters = oauth.validateAuthResponse(server, app, await allow(url), state);
const first = await oauth.processAuthorizationCodeResponse(
  server,
  app,
  await oauth.authorizationCodeGrantRequest(server, app, open, parameters, redirectUri, verifier, insecure),
);
assert.equal(first.scope, "manage_settings view_audit_log");

// The token's agent
const user = await oauth.processUserInfoResponse(
  server,
  app,
  oauth.skipSubjectCheck,
  await oauth.userInfoRequest(server, app, first.access_token, insecure),
);
assert.equal(user.email, email);

// Refresh, which rotates
const second = await oauth.processRefreshTokenResponse(
  server,
  app,
  await oauth.refreshTokenGrantRequest(server, app, open, first.refresh_token, insecure),
);
assert.notEqual(second.refresh_token, first.refresh_token);

// Password
const third = await oauth.processGenericTokenEndpointResponse(
  server,
  app,
  await oauth.genericTokenEndpointRequest(server, app, open, "password", { username: email, password }, insecure),
);
assert.equal(third.token_type, "bearer");

// Client credentials, with both ways to send the secret
for (const way of [oauth.ClientSecretBasic(secret), oauth.ClientSecretPost(secret)]) {
  const granted = await oauth.processClientCredentialsResponse(
    server,
    service,
    await oauth.clientCredentialsGrantRequest(server, service, way, { scope: "view_audit_log" }, insecure),
  );
  assert.equal(granted.scope, "view_audit_log");
}

// Introspection before and after revocation
const basic = oauth.ClientSecretBasic(secret);
const look = async (token) =>
  oauth.processIntrospectionResponse(
    server,
    service,
    await oauth.introspectionRequest(server, service, basic, token, insecure),
  );
assert.equal((await look(second.access_token)).active, true);
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, app, open, second.refresh_token, insecure),
);
assert.deepEqual(await look(second.access_token), { active: false });
const config = new URL(`${issuer}/v4/livechat/audioVideoChatConfig`);
await assert.rejects(
  oauth.protectedResourceRequest(second.access_token, "GET", config, undefined, null, insecure),
  oauth.WWWAuthenticateChallengeError,
);
const answer = await oauth.protectedResourceRequest(third.access_token, "GET", config, undefined, null, insecure);
assert.equal((await answer.json()).isEnabled, false);

// Errors are those of RFC 6749 §5.2
const refused = await oauth.authorizationCodeGrantRequest(
  server,
  app,
  open,
  parameters,
  redirectUri,
  verifier,
  insecure,
);
await assert.rejects(oauth.processAuthorizationCodeResponse(server, app, refused), { error: "invalid_grant" });
console.log("done");
