// npm run secrets: random secrets for docker-compose.yml and other deployments.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const help = `Usage: npm run secrets -- [options]

Writes a file .env with a random secret for everything that docker-compose.yml asks for, readable by
its owner alone. Where an identity provider signs customers' tokens is left to be filled in.

  --file FILE   write there instead
  --print       print instead of writing

An existing file is never overwritten: the databases keep the passwords of their first start.`;

const PASSWORDS = [
  'POSTGRES_PASSWORD',
  'BOOK_DATABASE_PASSWORD',
  'PAYMENT_DATABASE_PASSWORD',
  'SPACE_DATABASE_PASSWORD',
  'MYPAGE_DATABASE_PASSWORD',
  'REDIS_PASSWORD',
];

const PROVIDER = [
  ['AUTH_JWKS_URL', "where your OpenID provider shows its public keys: its discovery's jwks_uri"],
  ['AUTH_ISSUER', 'what its tokens say in "iss", to the letter'],
  ['AUTH_AUDIENCE', 'what they say in "aud" when they are meant for this API'],
];

/** New random secrets by their names. They hold letters, digits, - and _, and so can stand in URLs. */
export function randomSecrets() {
  return Object.fromEntries(
    [...PASSWORDS, 'INTERNAL_TOKEN_KEYS'].map((name) => [
      name,
      randomBytes(32).toString('base64url'),
    ]),
  );
}

function environmentFile() {
  const { INTERNAL_TOKEN_KEYS, ...passwords } = randomSecrets();
  return `# Made by "npm run secrets". Keep it to yourself.

# The databases and Redis take them when their volumes are new.
${lines(Object.entries(passwords))}

# What the router proves itself to the other services with. To change it without a pause, put the new
# one in front, a comma between, start all services anew, then take the old one away.
INTERNAL_TOKEN_KEYS=${INTERNAL_TOKEN_KEYS}

# Fill in: who signs customers' tokens.
${PROVIDER.map(([name, meaning]) => `# ${meaning}\n${name}=`).join('\n')}
`;
}

const lines = (entries) => entries.map(([name, value]) => `${name}=${value}`).join('\n');

function main([option, value, ...rest]) {
  if (option === '--help' || option === '-h') return console.log(help);
  const isFile = option === '--file' && value;
  if (rest.length > 0 || !(option === undefined || isFile || (option === '--print' && !value))) {
    console.error(help);
    process.exitCode = 2;
    return;
  }
  if (option === '--print') return process.stdout.write(environmentFile());
  const root = join(import.meta.dirname, '..');
  const named = isFile ? value : '.env';
  const file = isAbsolute(named) ? named : join(isFile ? process.cwd() : root, named);
  try {
    writeFileSync(file, environmentFile(), { mode: 0o600, flag: 'wx' });
    const empty = PROVIDER.map(([name]) => name).join(', ');
    console.log(`Written to ${file}. Fill in ${empty} before you start.`);
  } catch (error) {
    console.error(
      error.code === 'EEXIST'
        ? `${file} exists already and is left as it is: its secrets may be in use.`
        : `${file} cannot be written: ${error.message}.`,
    );
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
