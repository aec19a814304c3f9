// Logs in as a person with a browser would, and prints the identity token:
//
//   node login.mjs ISSUER CLIENT NAME PASSWORD
//
// It goes through every page up to the redirection (authorization code with PKCE, RFC 7636), as who fills
// each form with name and password and agrees to everything.
import { createHash, randomBytes } from 'node:crypto';

const [issuer, client, name, password] = process.argv.slice(2);
const redirection = 'http://127.0.0.1:1/callback';
const answers = { login: name, username: name, password };
const verifier = randomBytes(32).toString('base64url');
const state = randomBytes(16).toString('base64url');
const cookies = new Map();

function fail(what) {
  throw new Error(what);
}

/** Follows redirections, keeping cookies; returns the last page, or the redirection to ourselves. */
async function visit(url, form) {
  for (let body = form; ; body = undefined) {
    const headers = { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; ') };
    const response = await fetch(url, { method: body ? 'POST' : 'GET', body, headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) {
      const [, key, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      cookies.set(key, value);
    }
    const next = response.headers.get('location');
    if (!next) {
      const html = await response.text();
      return response.ok ? { url, html } : fail(`${url}: ${response.status} ${html}`);
    }
    url = new URL(next, url);
    if (url.href.startsWith(redirection)) {
      return { url };
    }
  }
}

/** The form on a page, filled: where it goes, and with what. */
function filled({ url, html }) {
  const form = /<form\b[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/s.exec(html) ?? fail(`${url} has no form: ${html}`);
  const fields = new URLSearchParams();
  for (const [input] of form[2].matchAll(/<input\b[^>]*>/g)) {
    const value = (attribute) => new RegExp(`\\b${attribute}="([^"]*)"`).exec(input)?.[1] ?? '';
    if (value('name') && value('type') !== 'checkbox') {
      fields.set(value('name'), answers[value('name')] ?? value('value'));
    }
  }
  return [new URL(form[1].replaceAll('&amp;', '&'), url), fields];
}

const discovered = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
const start = new URL(discovered.authorization_endpoint);
start.search = new URLSearchParams({
  client_id: client,
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
  nonce: randomBytes(16).toString('base64url'),
  redirect_uri: redirection,
  response_type: 'code',
  scope: 'openid email',
  state,
});

let page = await visit(start);
for (let steps = 0; page.html !== undefined; steps += 1) {
  page = steps < 5 ? await visit(...filled(page)) : fail(`${page.url} asks again and again`);
}
const returned = page.url.searchParams;
if (returned.get('state') !== state || !returned.has('code')) {
  fail(`no code: ${page.url}`);
}
const exchange = {
  client_id: client,
  code: returned.get('code'),
  code_verifier: verifier,
  grant_type: 'authorization_code',
  redirect_uri: redirection,
};
const answer = await fetch(discovered.token_endpoint, { method: 'POST', body: new URLSearchParams(exchange) });
const tokens = await answer.json();
process.stdout.write(tokens.id_token ?? fail(JSON.stringify(tokens)));
