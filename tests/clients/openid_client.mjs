// Drives openid-client: one JSON command a line on standard input, one JSON answer a line.
import { createInterface } from "node:readline";
import * as client from "./vendor/openid-client.mjs";

const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const insecure = { execute: [client.allowInsecureRequests] }; // the tests serve on 127.0.0.1
let config, kept;

const authentication = async (with_) => {
  if (with_.secret) return client.ClientSecretBasic(with_.secret);
  if (!with_.jwk) return client.None();
  const algorithm = { name: "ECDSA", namedCurve: "P-384" };
  const key = await crypto.subtle.importKey("jwk", with_.jwk, algorithm, false, ["sign"]);
  return client.PrivateKeyJwt({ key, kid: "k1" });
};

const commands = {
  async discover(asked) {
    const proof = await authentication(asked);
    config = await client.discovery(new URL(asked.issuer), asked.client, undefined, proof, insecure);
    return config.serverMetadata();
  },
  async begin(asked) {
    kept = {
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
      expectedState: client.randomState(),
      expectedNonce: client.randomNonce(),
    };
    const parameters = {
      ...asked.parameters,
      state: kept.expectedState,
      nonce: kept.expectedNonce,
      code_challenge: await client.calculatePKCECodeChallenge(kept.pkceCodeVerifier),
      code_challenge_method: "S256",
    };
    const build = asked.pushed ? client.buildAuthorizationUrlWithPAR : client.buildAuthorizationUrl;
    return (await build(config, parameters)).href;
  },
  async finish(asked) {
    const tokens = await client.authorizationCodeGrant(config, new URL(asked.url), kept);
    kept.tokens = tokens;
    return { tokens, claims: tokens.claims() };
  },
  async userinfo(asked) {
    return client.fetchUserInfo(config, asked.token, asked.subject);
  },
  async refresh(asked) {
    return client.refreshTokenGrant(config, asked.token, asked.parameters);
  },
  async introspect(asked) {
    return client.tokenIntrospection(config, asked.token);
  },
  async revoke(asked) {
    await client.tokenRevocation(config, asked.token);
    return {};
  },
  async credentials(asked) {
    return client.clientCredentialsGrant(config, { scope: asked.scope });
  },
  async device(asked) {
    kept = await client.initiateBackchannelAuthentication(config, asked.parameters);
    return kept;
  },
  async poll() {
    const tokens = await client.pollBackchannelAuthenticationGrant(config, kept);
    return { tokens, claims: tokens.claims() };
  },
  async leave(asked) {
    return client.buildEndSessionUrl(config, asked.parameters).href;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  try {
    say({ answer: await commands[asked.command](asked) });
  } catch (error) {
    const cause = error.cause ?? {};
    say({ error: error.error ?? error.code ?? error.message, why: cause.message ?? error.message });
  }
}
