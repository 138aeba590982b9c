// SPDX-License-Identifier: Apache-2.0
// An authorization server that nobody here wrote (npm's oidc-provider), set up so that the box takes it for Entra:
// client credentials, authenticated by private_key_jwt with PS256, the token endpoint at Entra's path.
//
// usage: node provider.mjs SETTINGS.json
//   {"modules": folder with node_modules, "cert", "key": PEM files of the server, "jwk": the client's public key,
//    "tenant", "client", "mode": "good" | "other_audience" | "replay", "ahead_s": seconds that its clock is ahead}
// Says one JSON object a line: {"port"} when it listens, then {"granted"} or {"refused", "why"} for each request.
import fs from 'node:fs';
import https from 'node:https';
import { createRequire } from 'node:module';
import path from 'node:path';
import querystring from 'node:querystring';
import { pathToFileURL } from 'node:url';

const settings = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const realNow = Date.now;
Date.now = () => realNow() + 1000 * settings.ahead_s; // before anything else looks at the time

const resolve = createRequire(path.join(settings.modules, 'from-here.js')).resolve;
const { Provider } = await import(pathToFileURL(resolve('oidc-provider')));

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const once = 'x-first-of-two';
const entraPath = `/${settings.tenant}/oauth2/v2.0/token`;
const tokenPath = settings.mode === 'other_audience' ? '/oauth/token' : entraPath;

const server = https.createServer({ cert: fs.readFileSync(settings.cert), key: fs.readFileSync(settings.key) });
await new Promise((listening) => { server.listen(0, '127.0.0.1', listening); });
const { port } = server.address();

const provider = new Provider(`https://127.0.0.1:${port}`, {
  clients: [{
    client_id: settings.client,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'PS256',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    jwks: { keys: [settings.jwk] },
  }],
  clientAuthMethods: ['private_key_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ['PS256'] },
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  routes: { token: tokenPath },
  ttl: { ClientCredentials: 3600 },
});
provider.on('grant.success', (ctx) => say({ granted: ctx.oidc.client.clientId }));
provider.on('grant.error', (ctx, error) => say({ refused: error.error, why: error.error_detail ?? error.message }));
provider.on('server_error', (ctx, error) => say({ refused: 'server_error', why: String(error) }));
const handle = provider.callback();

async function bodyOf(req) {
  const pieces = [];
  for await (const piece of req) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

// Somebody else presents the assertion first.
async function presentFirst(req, body) {
  const headers = { ...req.headers, [once]: '1' };
  await new Promise((done, failed) => {
    const options = { host: '127.0.0.1', port, path: req.url, method: 'POST', headers, rejectUnauthorized: false };
    https.request(options, (answer) => answer.resume().on('end', done)).on('error', failed).end(body);
  });
}

server.on('request', async (req, res) => {
  res.setHeader('Date', new Date(Date.now()).toUTCString());
  if (settings.mode === 'replay' && !req.headers[once]) {
    const body = await bodyOf(req);
    await presentFirst(req, body);
    req.body = querystring.parse(body.toString()); // read already: the provider takes it from here
  }
  if (settings.mode === 'other_audience' && req.url === entraPath) {
    req.url = tokenPath;
  }
  handle(req, res);
});
say({ port });
