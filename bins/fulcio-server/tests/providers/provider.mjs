// oidc-provider with keys of its own, made anew at every start: node provider.mjs PORT
//
// It believes everybody who logs in, and has one client: `sigstore`, a native program.
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const port = Number(process.argv[2]);

const signingKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

const provider = new Provider(`http://127.0.0.1:${port}`, {
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  clients: [
    {
      application_type: 'native',
      client_id: 'sigstore',
      grant_types: ['authorization_code'],
      id_token_signed_response_alg: 'ES256',
      redirect_uris: ['http://127.0.0.1:1/callback'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  ],
  // Clients of Sigstore ask for no userinfo: what they want to know stands in the token.
  conformIdTokenClaims: false,
  cookies: { keys: ['not a secret'] },
  enabledJWA: { idTokenSigningAlgValues: ['ES256', 'RS256'] },
  features: { devInteractions: { enabled: true } },
  findAccount: async (_context, name) => ({
    accountId: name,
    claims: async () => ({ sub: name, email: name, email_verified: true }),
  }),
  // The two starts of one issuer call their different keys the same.
  jwks: { keys: [{ ...signingKey, alg: 'ES256', kid: 'signing', use: 'sig' }] },
  pkce: { required: () => true },
});

provider.listen(port, '127.0.0.1', () => console.log('ready'));
