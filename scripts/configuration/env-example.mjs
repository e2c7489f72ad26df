// .env.example, as text.

/** @typedef {import('./settings.mjs').Setting} Setting */

const HEAD = `# Settings of the services. Written by "npm run configuration" from their descriptions: do not edit.
# docs/operations/configuration.md says who reads what. NAME_FILE=<path> stands for each NAME.
# For docker compose, "npm run ops -- secrets" writes .env: passwords, from which the addresses are built.
`;

/**
 * @param {Setting[]} settings
 * @param {Record<string, string>} groups titles
 */
export function printEnvExample(settings, groups) {
  const required = settings.filter(({ isRequired }) => isRequired);
  const sections = [
    section('Required in the servers profile, with REDIS_URL or QUEUE_DATABASE_URL', required),
  ];
  for (const [group, title] of Object.entries(groups)) {
    const optional = settings.filter((each) => each.group === group && !each.isRequired);
    sections.push(section(title, optional));
  }
  return [HEAD, ...sections].join('\n');
}

/**
 * @param {string} title
 * @param {Setting[]} settings
 */
function section(title, settings) {
  return `# --- ${title} ---\n\n${settings.map(entry).join('\n')}`;
}

/** @param {Setting} setting */
function entry({ name, description, example, defaults, isRequired }) {
  const given = [...defaults.keys()].find((value) => typeof value === 'string');
  const line = `${name}=${given ?? example ?? ''}`;
  return `# ${description.replaceAll('`', '')}\n${isRequired ? line : `# ${line}`}\n`;
}
