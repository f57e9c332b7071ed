// An independent OpenID provider (npm: oidc-provider) with the settings of FranceConnect+.
// Arguments: folder of the packages, port, JSON with the client. It signs one person in at once.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const [, , packages, port, described] = process.argv;
const entry = path.join(packages, 'oidc-provider', 'lib', 'index.js');
const { default: Provider } = await import(pathToFileURL(entry));
const told = JSON.parse(described);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const provider = new Provider(issuer, {
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'ES256' }] },
  cookies: { keys: ['of a test'] },
  acrValues: ['eidas1', 'eidas2', 'eidas3'],
  scopes: ['openid', 'identite_pivot'],
  claims: { openid: ['sub'], acr: null, identite_pivot: Object.keys(told.claims) },
  conformIdTokenClaims: true,
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, ...told.claims }),
  }),
  features: {
    devInteractions: { enabled: false },
    encryption: { enabled: true },
    jwtUserinfo: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  enabledJWA: {
    idTokenSigningAlgValues: ['ES256'],
    userinfoSigningAlgValues: ['ES256'],
    clientAuthSigningAlgValues: ['ES256'],
    userinfoEncryptionAlgValues: ['RSA-OAEP'],
    userinfoEncryptionEncValues: ['A256GCM'],
  },
  interactions: { url: (_context, one) => `/interaction/${one.uid}` },
  pkce: { required: () => true },
  clients: [{
    client_id: 'hygie',
    ...(told.method === 'private_key_jwt' ? {} : { client_secret: told.secret }),
    redirect_uris: [told.redirect],
    post_logout_redirect_uris: [told.back],
    token_endpoint_auth_method: told.method,
    ...(told.method === 'private_key_jwt' ? { token_endpoint_auth_signing_alg: 'ES256' } : {}),
    id_token_signed_response_alg: 'ES256',
    userinfo_signed_response_alg: 'ES256',
    userinfo_encrypted_response_alg: 'RSA-OAEP',
    userinfo_encrypted_response_enc: 'A256GCM',
    jwks: { keys: told.keys },
  }],
});

async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    const login = { accountId: 'jeanne', acr: told.acr, amr: ['pwd'] };
    return provider.interactionFinished(request, response, { login });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? []);
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

const answer = provider.callback();
createServer((request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  return interact(request, response).catch((error) => response.writeHead(500).end(String(error)));
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
