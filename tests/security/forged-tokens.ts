import { createHmac, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { exportJWK, importJWK, type JWK, SignJWT } from 'jose';

export interface Provider {
  issuer: string;
  audience: string;
  keys: { publicJwk: JWK; privateJwk: JWK }[];
}

const now = () => Math.floor(Date.now() / 1_000);

/** The claims of a valid token. */
export function validClaims({ issuer, audience }: Provider) {
  const claims = { sub: 'kim', roles: ['customer'], iss: issuer, aud: audience };
  return { ...claims, iat: now(), exp: now() + 600 } as Record<string, unknown>;
}

/** Signs a token as the provider does, with changed claims and header; `undefined` removes a claim. */
export async function signed(
  provider: Provider,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key = provider.keys[0]?.privateJwk as JWK,
): Promise<string> {
  return new SignJWT({ ...validClaims(provider), ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: key.kid as string, ...header })
    .sign(await importJWK(key, 'ES256'));
}

/** Every known way to forge a token, and tokens that were never valid. */
export const forgeries: [string, (provider: Provider) => Promise<string>][] = [
  ['signed by a stranger under a known key id', async (p) => signed(p, {}, kidOf(p), stranger)],
  ['signed by a stranger under an unknown key id', (p) => signed(p, {}, {}, stranger)],
  [
    'changed after it was signed',
    async (p) => {
      const [header, , signature] = (await signed(p)).split('.');
      const claims = { ...validClaims(p), roles: ['operator'] };
      return `${header}.${base64(claims)}.${signature}`;
    },
  ],
  ['with its signature cut off', async (p) => (await signed(p)).replace(/[^.]*$/, '')],
  [
    'with a signature of nothing but zeros',
    async (p) => (await signed(p)).replace(/[^.]*$/, Buffer.alloc(64).toString('base64url')),
  ],
  ['with "alg": "none"', async (p) => `${base64({ alg: 'none' })}.${base64(validClaims(p))}.`],
  [
    'with "alg": "none" and the signature of another',
    async (p) =>
      `${base64({ alg: 'none', ...kidOf(p) })}.${base64(validClaims(p))}.${(await signed(p)).split('.')[2]}`,
  ],
  [
    "signed with the provider's public key as a secret (PEM)",
    async (p) => hmac(p, createPublicKey({ key: jwkOf(p), format: 'jwk' }).export(PEM)),
  ],
  [
    "signed with the provider's public key as a secret (JWK)",
    async (p) => hmac(p, JSON.stringify(jwkOf(p))),
  ],
  ['signed with an empty secret', async (p) => hmac(p, '')],
  ['with the key id of another key', (p) => signed(p, {}, kidOf(p), p.keys[1]?.privateJwk)],
  [
    'that brings its own key along',
    async (p) => signed(p, {}, { ...kidOf(p), jwk: strangersPublicKey }, stranger),
  ],
  [
    'that brings its own key along, under its own key id',
    async (p) => signed(p, {}, { jwk: strangersPublicKey }, stranger),
  ],
  [
    'with an algorithm that is not allowed',
    async (p) => {
      // The provider has no key of this kind and does not use this algorithm.
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const head = `${base64({ alg: 'RS512', ...kidOf(p) })}.${base64(validClaims(p))}`;
      const signature = signBytes('sha512', Buffer.from(head), privateKey);
      return `${head}.${signature.toString('base64url')}`;
    },
  ],
  [
    'with an extension that must be understood',
    async (p) => {
      const header = { alg: 'ES256', ...kidOf(p), crit: ['exp2'], exp2: 1 };
      const head = `${base64(header)}.${base64(validClaims(p))}`;
      const key = { key: p.keys[0]?.privateJwk as JWK, format: 'jwk', dsaEncoding: 'ieee-p1363' };
      return `${head}.${signBytes('sha256', Buffer.from(head), key as never).toString('base64url')}`;
    },
  ],
  ['for another audience', (p) => signed(p, { aud: 'https://other.example' })],
  ['for no audience', (p) => signed(p, { aud: undefined })],
  ['for an audience that begins the same', (p) => signed(p, { aud: `${p.audience}/x` })],
  ['of another issuer', (p) => signed(p, { iss: 'https://other.example' })],
  ['of the issuer with a slash added', (p) => signed(p, { iss: `${p.issuer}/` })],
  ['of no issuer', (p) => signed(p, { iss: undefined })],
  ['that has expired', (p) => signed(p, { exp: now() - 1 })],
  ['that never expires', (p) => signed(p, { exp: undefined })],
  ['that expires on a date in words', (p) => signed(p, { exp: 'tomorrow' })],
  ['that is not valid yet', (p) => signed(p, { nbf: now() + 60 })],
  ['that is issued in the future', (p) => signed(p, { iat: now() + 60 })],
  ['without a subject', (p) => signed(p, { sub: undefined })],
  ['with an empty subject', (p) => signed(p, { sub: '' })],
  ['with a subject that is no text', (p) => signed(p, { sub: 7 })],
  ['with a line break in its subject', (p) => signed(p, { sub: 'kim\nadmin' })],
  ['that is no JWT', async () => 'nonsense'],
  ['that is three dots', async () => '...'],
  ['whose header is no JSON', async (p) => `bm9uc2Vuc2U.${base64(validClaims(p))}.x`],
];

/** A token whose header names the address of its key. */
export function withKeyUrl(provider: Provider, parameter: 'jku' | 'x5u', url: string) {
  return signed(provider, {}, { [parameter]: url }, stranger);
}

const PEM = { type: 'spki', format: 'pem' } as const;
const strangersPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger: JWK = { ...(await exportJWK(strangersPair.privateKey)), kid: 'stranger' };
export const strangersPublicKey: JWK = {
  ...(await exportJWK(strangersPair.publicKey)),
  kid: 'stranger',
  alg: 'ES256',
};

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwkOf = (provider: Provider) => provider.keys[0]?.publicJwk as JWK;
const kidOf = (provider: Provider) => ({ kid: jwkOf(provider).kid });

function hmac(provider: Provider, secret: string | Buffer): string {
  const head = `${base64({ alg: 'HS256', ...kidOf(provider) })}.${base64(validClaims(provider))}`;
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
}
