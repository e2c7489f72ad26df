import { contextNames } from '#contracts/topology.ts';
import { splitUrls } from '../redis/redis-url.ts';

/**
 * Which settings are secrets, and which secrets are publicly known. A setting is secret by its name, or
 * contains one as the password of an address; so a new setting of a service is covered automatically.
 */

const SECRET_NAME = /_(SECRET|PASSWORD|TOKEN|KEYS?)$/;
/** Settings that are read as an object, whose values are secrets. */
const SECRET_VALUES_NAME = /_HEADERS$/;

/** The account of an address, even if a character that is not encoded makes it an invalid URL. */
const ACCOUNT = /^[a-z][a-z0-9+.-]*:\/\/(?:([^:@/]*)(?::([^/]*|.*))?@)?/i;
const PASSWORD_PARAMETER = /[?&]password=([^&#]*)/i;

/** The secrets of this project's own examples, and those that attackers try first. */
const KNOWN_SECRETS = new Set([
  ...['spacerent', ...contextNames, 'postgres'].flatMap((name) => [name, `${name}-dev`]),
  'for-development-only-set-AUTH_SECRET-elsewhere',
  ...['postgresql', 'mysql', 'mariadb', 'redis', 'root', 'admin', 'administrator', 'guest', 'user'],
  ...['password', 'passw0rd', 'p@ssw0rd', 'pass', 'secret', 'changeme', 'change-me', 'change_me'],
  ...['changeit', 'default', 'example', 'development', 'dev', 'test', 'demo', 'letmein', 'welcome'],
  ...['foobared', 'qwerty', 'abc123', 'admin123', 'password1', 'password123', 'mysecretpassword'],
  ...['1234', '12345', '123456', '1234567', '12345678', '123456789', '1234567890', 'my-secret-pw'],
]);
const EXAMPLE =
  /^(for-development|development-only|replace-?me|change-?me|your-|insert-|example-)/i;

/** A random secret of the minimum length has far more different characters. */
const MIN_DIFFERENT_CHARACTERS = 8;

/** One sentence for each setting whose secret is publicly known, without its value. */
export function publicSecretProblems(settings: Record<string, unknown>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    if (typeof value !== 'string') return [];
    if (SECRET_NAME.test(name)) {
      const weak = value.split(',').some((each) => isKnown(each) || isMonotonous(each));
      return weak ? [`${name} is an example that everybody knows: ${ADVICE}`] : [];
    }
    const weak = splitUrls(value)
      .map(account)
      .some(({ user, passwords }) => passwords.some((each) => isKnown(each) || each === user));
    return weak ? [`${name} holds a password that everybody knows: ${ADVICE}`] : [];
  });
}

const ADVICE = 'set a random one, as "npm run ops -- secrets" makes them.';

/** Every secret among the settings, in each form in which a text could contain it. */
export function secretsIn(settings: Record<string, unknown>): string[] {
  const found = Object.entries(settings).flatMap(([name, value]) => {
    if (SECRET_VALUES_NAME.test(name))
      return Object.values((value ?? {}) as Record<string, string>);
    const values = (Array.isArray(value) ? value : [value]).filter(
      (each): each is string => typeof each === 'string',
    );
    if (SECRET_NAME.test(name)) return values.flatMap((each) => [each, ...each.split(',')]);
    return values.flatMap(splitUrls).flatMap((each) => account(each).passwords);
  });
  return [...new Set(found)].filter((each) => each !== '');
}

function isKnown(secret: string): boolean {
  const plain = secret.trim();
  return KNOWN_SECRETS.has(plain) || KNOWN_SECRETS.has(plain.toLowerCase()) || EXAMPLE.test(plain);
}

function isMonotonous(secret: string): boolean {
  return new Set(secret).size < MIN_DIFFERENT_CHARACTERS;
}

/** The user of an address, and its passwords, as written and decoded. */
function account(address: string): { user: string; passwords: string[] } {
  const [, user = '', password = ''] = ACCOUNT.exec(address) ?? [];
  const isAddress = ACCOUNT.test(address);
  const parameter = isAddress ? PASSWORD_PARAMETER.exec(address)?.[1] : undefined;
  const written = [password, parameter ?? ''].filter((each) => each !== '');
  const passwords = [...new Set(written.flatMap((each) => [each, decoded(each)]))];
  return { user: decoded(user), passwords };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
