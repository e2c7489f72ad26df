// docs/operations/configuration.md, as text.
import { SERVICES, START } from './readers.mjs';
import { NOT_SET, REQUIRED } from './settings.mjs';

/** @typedef {import('./settings.mjs').Setting} Setting */

const HEAD = `# Configuration

<!-- Written by "npm run configuration" from the descriptions of the settings: do not edit. -->

Each service reads its settings from environment variables. An empty variable counts as not set.

- **Files.** Each variable \`NAME\` can come from a file: \`NAME_FILE=/run/secrets/name\` stands for \`NAME\`. One
  newline at the end of the file is dropped. A service refuses both variables together.
- **Errors.** A service with missing or wrong settings prints one sentence for each of them and exits with
  code 2; \`npm start\` exits with code 1.
- **Secrets.** Outside the embedded profile a service refuses secrets and passwords that are publicly known.
  \`npm run ops -- secrets\` writes a \`.env\` with random ones for \`docker-compose.yml\`, which builds the addresses of
  databases and Redis from them.
- **\`npm start\`** passes its environment to the five services. It sets their \`HOST\`, \`PORT\`, \`DRAIN_SECONDS\`,
  \`SPACERENT_PROFILE\` and the addresses of each other. Without the addresses of databases, Redis and
  OpenID provider it runs the embedded profile; one of them selects the servers profile, which needs all.

[.env.example](../../.env.example) lists the same variables as a file of settings.
`;

/**
 * @param {Setting[]} settings
 * @param {Record<string, string>} groups titles
 */
export function printReference(settings, groups) {
  const sections = Object.entries(groups).map(([group, title]) => {
    const rows = settings.filter((setting) => setting.group === group).map(row);
    const head = ['| variable | read by | default | meaning |', '| --- | --- | --- | --- |'];
    return `\n## ${title}\n\n${[...head, ...rows].join('\n')}\n`;
  });
  return HEAD + sections.join('');
}

/** @param {Setting} setting */
function row({ name, readers, defaults, description }) {
  const cells = [`\`${name}\``, readersText(readers), defaultsText(defaults), description];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/**
 * @param {string[]} readers
 * @returns {string}
 */
function readersText(readers) {
  const others = readers.filter((reader) => !SERVICES.includes(reader));
  const services = readers.filter((reader) => SERVICES.includes(reader));
  return [
    ...shortened(services),
    ...others.map((name) => (name === START ? `\`${name}\`` : name)),
  ].join(', ');
}

/** @param {string[]} services */
function shortened(services) {
  if (services.length === SERVICES.length) return ['every service'];
  const isEverySubgraph = services.length === SERVICES.length - 1 && !services.includes('router');
  return isEverySubgraph ? ['every subgraph'] : services;
}

/** @param {Setting['defaults']} defaults */
function defaultsText(defaults) {
  const [first, ...others] = [...defaults].map(([value, readers]) => ({
    text: valueText(value),
    readers,
  }));
  if (first && others.length === 0) return first.text;
  return [first, ...others]
    .flatMap((each) => (each ? [`${each.text} (${readersText(each.readers)})`] : []))
    .join(', ');
}

/** @param {string | symbol} value */
function valueText(value) {
  if (value === REQUIRED) return 'required';
  return value === NOT_SET ? 'not set' : `\`${String(value)}\``;
}
