// npm run ops -- secrets: random secrets for docker-compose.yml and other deployments.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError, parseOptions, root, toMessage, UsageError } from '../command.mjs';

export const help = `Usage: npm run ops -- secrets [options]

Writes a file .env with a random secret for everything that docker-compose.yml needs, readable by
its owner alone. The settings of the identity provider are left to be filled in.

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
  return `# Made by "npm run ops -- secrets". Keep it to yourself.

# The databases and Redis read them when their volumes are new.
${lines(Object.entries(passwords))}

# Signs the router's requests to the other services. To change it without a pause, put the new one
# in front, separated by a comma, restart all services, then remove the old one.
INTERNAL_TOKEN_KEYS=${INTERNAL_TOKEN_KEYS}

# Fill in: the identity provider that signs customers' tokens.
${PROVIDER.map(([name, meaning]) => `# ${meaning}\n${name}=`).join('\n')}
`;
}

const lines = (/** @type {[string, string][]} */ entries) =>
  entries.map(([name, value]) => `${name}=${value}`).join('\n');

/** @param {string[]} args */
export function run(args) {
  const { values } = parseOptions(help, {
    args,
    options: { file: { type: 'string' }, print: { type: 'boolean' } },
  });
  if (values.print && values.file) throw new UsageError(help);
  if (values.print) return process.stdout.write(environmentFile());
  // A name from the command line is relative to the folder where the command was entered.
  const file = values.file ? resolve(values.file) : join(root, '.env');
  try {
    writeFileSync(file, environmentFile(), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new CommandError(
      /** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST'
        ? `${file} exists already and is left as it is: its secrets may be in use.`
        : `${file} cannot be written: ${toMessage(error)}.`,
    );
  }
  const empty = PROVIDER.map(([name]) => name).join(', ');
  console.log(`Written to ${file}. Fill in ${empty} before you start.`);
}
