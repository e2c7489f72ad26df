/**
 * Which settings are secrets, and which secrets are none. A setting is secret by its name, or holds
 * one as the password of an address; so what a service adds to its settings is covered unasked.
 */

const SECRET_NAME = /_(SECRET|PASSWORD|TOKEN|KEYS?)$/;

/** The account of an address, also where a character that should be encoded keeps it from being a URL. */
const ACCOUNT = /^[a-z][a-z0-9+.-]*:\/\/(?:([^:@/]*)(?::([^/]*|.*))?@)?/i;
const PASSWORD_PARAMETER = /[?&]password=([^&#]*)/i;

/** What this project's own examples have shown, and what is tried first everywhere. */
const KNOWN_SECRETS = new Set([
  ...['spacerent', 'book', 'payment', 'space', 'mypage', 'postgres'].flatMap((name) => [
    name,
    `${name}-dev`,
  ]),
  'for-development-only-set-AUTH_SECRET-elsewhere',
  ...['postgresql', 'mysql', 'mariadb', 'redis', 'root', 'admin', 'administrator', 'guest', 'user'],
  ...['password', 'passw0rd', 'p@ssw0rd', 'pass', 'secret', 'changeme', 'change-me', 'change_me'],
  ...['changeit', 'default', 'example', 'development', 'dev', 'test', 'demo', 'letmein', 'welcome'],
  ...['foobared', 'qwerty', 'abc123', 'admin123', 'password1', 'password123', 'mysecretpassword'],
  ...['1234', '12345', '123456', '1234567', '12345678', '123456789', '1234567890', 'my-secret-pw'],
]);
const EXAMPLE =
  /^(for-development|development-only|replace-?me|change-?me|your-|insert-|example-)/i;

/** A random secret of the least length has far more; a line of one letter has not. */
const DIFFERENT_CHARACTERS_AT_LEAST = 8;

/** One sentence for each of the settings that holds a secret which everybody knows; never its value. */
export function knownSecretProblems(settings: Record<string, unknown>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    if (typeof value !== 'string') return [];
    if (SECRET_NAME.test(name)) {
      const weak = value.split(',').some((each) => isKnown(each) || isMonotonous(each));
      return weak ? [`${name} is an example that everybody knows: ${ADVICE}`] : [];
    }
    const { user, passwords } = account(value);
    const weak = passwords.some((each) => isKnown(each) || each === user);
    return weak ? [`${name} holds a password that everybody knows: ${ADVICE}`] : [];
  });
}

const ADVICE = 'set a random one, as "npm run ops -- secrets" makes them.';

/** Every secret among the settings, in each form in which it could turn up in a text. */
export function secretsIn(settings: Record<string, unknown>): string[] {
  const found = Object.entries(settings).flatMap(([name, value]) => {
    const values = (Array.isArray(value) ? value : [value]).filter(
      (each): each is string => typeof each === 'string',
    );
    if (SECRET_NAME.test(name)) return values.flatMap((each) => [each, ...each.split(',')]);
    return values.flatMap((each) => account(each).passwords);
  });
  return [...new Set(found)].filter((each) => each !== '');
}

function isKnown(secret: string): boolean {
  const plain = secret.trim();
  return KNOWN_SECRETS.has(plain) || KNOWN_SECRETS.has(plain.toLowerCase()) || EXAMPLE.test(plain);
}

function isMonotonous(secret: string): boolean {
  return new Set(secret).size < DIFFERENT_CHARACTERS_AT_LEAST;
}

/** Who logs in by an address, with its passwords as written and as meant. */
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
