// SPDX-License-Identifier: Apache-2.0
// A client that nobody here wrote (npm's @azure/msal-node, Microsoft's own), for the fake cloud to prove itself on.
//
// usage: node msal.mjs SETTINGS.json     (NODE_EXTRA_CA_CERTS names the cloud's CA)
//   {"modules": folder with node_modules, "authority", "tenant", "client", "redirectUri",
//    "secret" | "key" and "thumbprint" (PEM, SHA-256 in hex): a confidential client; neither: a public one}
// Reads {"call", ...} a line and answers each with {"result"} or {"error", "codes", "suberror", "claims"};
// {"event", ...} between them is what the library tells while a call is under way.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';

const settings = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const msal = createRequire(path.join(settings.modules, 'from-here.js'))('@azure/msal-node');
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const auth = {
  clientId: settings.client,
  authority: `${settings.authority}/${settings.tenant}`,
  knownAuthorities: [new URL(settings.authority).host],
};
if (settings.secret) {
  auth.clientSecret = settings.secret;
}
if (settings.key) {
  auth.clientCertificate = { thumbprintSha256: settings.thumbprint, privateKey: settings.key };
}
const confidential = Boolean(settings.secret || settings.key);
const app = confidential ? new msal.ConfidentialClientApplication({ auth }) : new msal.PublicClientApplication({ auth });
const scopes = ['User.Read'];
const { redirectUri } = settings;
let pkce = {};

const calls = {
  clientCredentials: ({ skipCache }) => app.acquireTokenByClientCredential({
    scopes: ['https://graph.microsoft.com/.default'], skipCache,
  }),
  async link({ state }) {
    pkce = await new msal.CryptoProvider().generatePkceCodes();
    return app.getAuthCodeUrl({
      scopes, redirectUri, state, codeChallenge: pkce.challenge, codeChallengeMethod: 'S256',
    });
  },
  code: ({ code, verifier }) => app.acquireTokenByCode({
    code, scopes, redirectUri, codeVerifier: verifier ?? pkce.verifier,
  }),
  deviceCode: () => app.acquireTokenByDeviceCode({
    scopes,
    deviceCodeCallback: ({ userCode, verificationUri, expiresIn }) => {
      say({ event: 'device', userCode, verificationUri, expiresIn });
    },
  }),
  async silent({ forceRefresh }) {
    const [account] = await app.getTokenCache().getAllAccounts();
    return app.acquireTokenSilent({ account, scopes, forceRefresh });
  },
  refresh: ({ token }) => app.acquireTokenByRefreshToken({ refreshToken: token, scopes }),
};

const shown = (answer) => (typeof answer === 'string' ? answer : {
  accessToken: answer.accessToken,
  scopes: answer.scopes,
  fromCache: answer.fromCache,
  tenantId: answer.tenantId,
  name: answer.account?.name,
  username: answer.account?.username,
  homeAccountId: answer.account?.homeAccountId,
  expiresOn: answer.expiresOn,
});

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { call, ...args } = JSON.parse(line);
  try {
    say({ result: shown(await calls[call](args)) });
  } catch (error) {
    say({
      error: error.errorCode ?? String(error), message: error.errorMessage, codes: error.errorNo,
      suberror: error.subError, claims: error.claims, kind: error.name,
    });
  }
}
