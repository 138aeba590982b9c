// SPDX-License-Identifier: Apache-2.0
// An authorization server that nobody here wrote (npm's oidc-provider) for the part that people have in a sign-in:
// authorization code with PKCE, device code and refresh tokens, at Entra's paths; Graph's /me stands beside it.
//
// usage: node people.mjs SETTINGS.json
//   {"modules": folder with node_modules, "cert", "key": PEM files of the server, "tenant", "client",
//    "jwk": the client's public key (it authenticates by private_key_jwt with PS256), or null for a public client,
//    "redirectUri"}. Graph's User.Read is a scope with this server as Graph's root.
// Says one JSON object a line: {"port"} when it listens, then {"granted"} or {"refused", "why"} for each request to
// the token endpoint.
import fs from 'node:fs';
import https from 'node:https';
import { createRequire } from 'node:module';
import path from 'node:path';
import querystring from 'node:querystring';
import { pathToFileURL } from 'node:url';

const settings = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const resolve = createRequire(path.join(settings.modules, 'from-here.js')).resolve;
const { Provider, interactionPolicy } = await import(pathToFileURL(resolve('oidc-provider')));

console.info = console.error; // what the library has to say is for people
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const PERSON = { id: 'ada', displayName: 'Ada Admin', userPrincipalName: 'admin@contoso.example' };
const base = `/${settings.tenant}/oauth2/v2.0`;

const server = https.createServer({ cert: fs.readFileSync(settings.cert), key: fs.readFileSync(settings.key) });
await new Promise((listening) => { server.listen(0, '127.0.0.1', listening); });
const { port } = server.address();
const userRead = `https://127.0.0.1:${port}/User.Read`;

// Entra shows a choice of accounts when it is asked to; here it is the login that does.
const policy = interactionPolicy.base();
policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);

const page = (title, form) => `<!DOCTYPE html><html lang="en"><title>${title}</title><h1>${title}</h1>${form}</html>`;

const provider = new Provider(`https://127.0.0.1:${port}`, {
  clients: [{
    client_id: settings.client,
    application_type: 'native',
    token_endpoint_auth_method: settings.jwk ? 'private_key_jwt' : 'none',
    ...(settings.jwk && { token_endpoint_auth_signing_alg: 'PS256', jwks: { keys: [settings.jwk] } }),
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    redirect_uris: [settings.redirectUri],
  }],
  clientAuthMethods: ['private_key_jwt', 'none'],
  enabledJWA: { clientAuthSigningAlgValues: ['PS256'] },
  cookies: { keys: ['of one run of one test'] },
  scopes: ['openid', 'offline_access', userRead],
  claims: { openid: ['sub', 'tid'] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  rotateRefreshToken: true,
  // It drops offline_access unless prompt=consent; Entra gives a refresh token without.
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, tid: settings.tenant }) }),
  interactions: { policy, url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: {
      enabled: true,
      userCodeInputSource(ctx, form, out, error) {
        const again = error ? '<p>That code did not work.</p>' : '';
        ctx.body = page('Enter code', `${again}${form.replace('</form>', '<button type="submit">Next</button></form>')}`);
      },
      userCodeConfirmSource(ctx, form) {
        ctx.body = page('Is it your device?', form.replace('</form>', '<button type="submit">Continue</button>'
          + '<button type="submit" name="abort" value="yes">Cancel</button></form>'));
      },
      successSource(ctx) { ctx.body = page('You have signed in', ''); },
    },
  },
  routes: {
    authorization: `${base}/authorize`, token: `${base}/token`, device_authorization: `${base}/devicecode`,
    code_verification: '/devicelogin',
  },
});
provider.on('grant.success', (ctx) => say({ granted: ctx.oidc.params.grant_type }));
provider.on('grant.error', (ctx, error) => say({ refused: error.error, why: error.error_detail ?? error.message }));
provider.on('server_error', (ctx, error) => say({ refused: 'server_error', why: String(error?.stack ?? error) }));
provider.on('authorization.error', (ctx, error) => say({ refused: error.error, why: error.error_description }));
const handle = provider.callback();

async function bodyOf(req) {
  const pieces = [];
  for await (const piece of req) {
    pieces.push(piece);
  }
  return querystring.parse(Buffer.concat(pieces).toString());
}

async function grantFor(details) {
  const grant = new provider.Grant({ accountId: PERSON.id, clientId: details.params.client_id });
  grant.addOIDCScope(details.params.scope);
  return grant.save();
}

// The page of a sign-in and what its two buttons do.
async function interact(req, res) {
  const details = await provider.interactionDetails(req, res);
  if (req.method !== 'POST') {
    res.setHeader('Content-Type', 'text/html');
    res.end(page('Sign in', `<form method="post" action="${req.url}"><button name="action" value="accept">Ada Admin`
      + '</button><button name="action" value="cancel">Cancel</button></form>'));
    return;
  }
  const { action } = await bodyOf(req);
  const result = action === 'accept'
    ? { select_account: {}, login: { accountId: PERSON.id }, consent: { grantId: await grantFor(details) } }
    : { error: 'access_denied', error_description: 'AADSTS65004: User declined to consent to access the app.' };
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
}

// GET /v1.0/me, for a token that the provider gave out with the scope for it.
async function me(req, res) {
  const token = await provider.AccessToken.find((req.headers.authorization ?? '').replace(/^Bearer /, ''));
  const good = token?.isValid && token.scopes.has(userRead);
  res.writeHead(good ? 200 : 401, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify(good ? PERSON : { error: { code: 'InvalidAuthenticationToken', message: '' } }));
}

server.on('request', async (req, res) => {
  const { pathname } = new URL(req.url, 'https://127.0.0.1');
  try {
    if (pathname.startsWith('/interaction/')) {
      await interact(req, res);
    } else if (pathname === '/v1.0/me') {
      await me(req, res);
    } else {
      handle(req, res);
    }
  } catch (error) {
    say({ refused: 'server_error', why: String(error.stack) });
    res.writeHead(500).end();
  }
});
say({ port });
