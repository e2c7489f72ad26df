import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';

const CLIENT_ID = 'spacerent-web';
// Nothing listens there: the last redirect is read, not followed.
const REDIRECT_URI = 'http://127.0.0.1:9/signed-in';
const MAX_STEPS = 12;

export interface OpenIdProvider {
  issuer: string;
  /** Signs in as a browser does, and resolves with the access token for the audience. */
  signIn(user: string, audience: string): Promise<string>;
  /** Shows a new key beside the old one; signs with the new one; hides the old one. */
  publish(): Promise<void>;
  sign(): Promise<void>;
  withdraw(): Promise<void>;
  /** All of these at once. */
  rotate(): Promise<void>;
  keyRequests(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts `oidc-provider`, a certified OpenID provider, in a process of its own. */
export async function startOpenIdProvider(audience: string): Promise<OpenIdProvider> {
  const { NODE_OPTIONS, ...inherited } = process.env;
  const child = spawn(process.execPath, ['tests/security/openid-provider.mjs'], {
    env: { ...inherited, CLIENT_ID, REDIRECT_URI, AUDIENCE: audience },
    // The library prints long warnings about a configuration for tests.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const { issuer } = await nextMessage(child);
  const send = (message: string) => {
    const reply = nextMessage(child);
    child.send(message);
    return reply;
  };
  return {
    issuer,
    signIn: (user, resource) => signIn(issuer, user, resource),
    publish: async () => void (await send('publish')),
    sign: async () => void (await send('sign')),
    withdraw: async () => void (await send('withdraw')),
    rotate: async () => void (await send('rotate')),
    keyRequests: async () => (await send('keyRequests')).keyRequests,
    async stop() {
      child.disconnect();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function nextMessage(child: ChildProcess) {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The OpenID provider ended with code ${code}.`);
  });
  const [message] = await Promise.race([once(child, 'message'), ended]);
  return message as { issuer: string; keyRequests: number };
}

/** The authorization code flow with PKCE: RFC 6749, section 4.1, and RFC 7636. */
async function signIn(issuer: string, user: string, resource: string): Promise<string> {
  const discovery = await fetch(`${issuer}/.well-known/openid-configuration`);
  const { authorization_endpoint, token_endpoint } = (await discovery.json()) as Record<
    string,
    string
  >;
  const verifier = randomBytes(32).toString('base64url');
  const parameters = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'openid bookings',
    resource,
    state: 'state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const code = await submitForms(`${authorization_endpoint}?${parameters}`, user);
  const response = await fetch(token_endpoint as string, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT_URI,
      code_verifier: verifier,
      code,
      resource,
    }),
  });
  const { access_token, ...rest } = (await response.json()) as { access_token?: string };
  if (!access_token) throw new Error(`No access token: ${JSON.stringify(rest)}`);
  return access_token;
}

/** Follows redirects, fills in the forms of login and consent, and ends with the code. */
async function submitForms(start: string, user: string): Promise<string> {
  const cookies = new Map<string, string>();
  let url = start;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { body: form }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const page = await response.text();
    const location = response.headers.get('location');
    form = undefined;
    if (location) {
      url = new URL(location, url).href;
      if (!url.startsWith(REDIRECT_URI)) continue;
      const code = new URL(url).searchParams.get('code');
      if (code) return code;
      throw new Error(`Signing in ended with ${url}`);
    }
    const [, prompt] = /name="prompt" value="(\w+)"/.exec(page) ?? [];
    if (!prompt) throw new Error(`HTTP ${response.status} without a form: ${page.slice(0, 500)}`);
    form = new URLSearchParams({ prompt, login: user, password: 'any' });
  }
  throw new Error('Signing in does not end.');
}
