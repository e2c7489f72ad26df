// npm run audit: known vulnerabilities in the packages of the lock file.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseOptions, root, runCommand } from './command.mjs';

const help = `Usage: npm run audit [-- options]

Requests the known vulnerabilities of the packages in package-lock.json from the registry ("npm audit"), and
fails for every one of severity high or critical that another version fixes, unless
scripts/audit-allowed.json gives the reason why it is harmless here. An entry that is no longer needed
fails, too. A vulnerability that no version fixes is shown and does not fail.

  --json FILE   check what "npm audit --json" has written to FILE; no registry is requested

Ends with 1 when something is found, with 2 when the registry gives no result.`;

/**
 * @typedef {{ advisory: string, why: string }} Allowed
 * @typedef {{ url: string, severity: string, title: string, range: string }} Flaw
 * @typedef {{
 *   advisory: string, package: string, severity: string, title: string, range: string, fix: string | null,
 * }} Finding
 * @typedef {{
 *   name: string, via: (string | Flaw)[],
 *   fixAvailable: boolean | { name: string, version: string, isSemVerMajor: boolean },
 * }} Vulnerability
 */

const FAILING_SEVERITIES = new Set(['high', 'critical']);

/** The registry returned no result, so the vulnerabilities of the packages are unknown. */
export class NoAudit extends Error {}

/**
 * Assesses a report of `npm audit --json`. `allowed` holds `{advisory, why}`; `advisory` is the last part of an
 * advisory's address, such as GHSA-…. Throws {@link NoAudit} when it is no report.
 *
 * @param {{ vulnerabilities?: Record<string, Vulnerability>, message?: string, error?: { summary?: string } } | null} report
 * @param {Allowed[]} allowed
 */
export function assessReport(report, allowed) {
  if (typeof report?.vulnerabilities !== 'object') {
    throw new NoAudit(report?.message ?? report?.error?.summary ?? 'it is no report of npm audit');
  }
  const grave = Object.values(report.vulnerabilities).flatMap(({ name, via, fixAvailable }) =>
    via
      // A string names another package in the list, which has the flaw.
      .filter((flaw) => typeof flaw === 'object')
      .filter(({ severity }) => FAILING_SEVERITIES.has(severity))
      .map(({ url, severity, title, range }) => ({
        advisory: url.split('/').pop() ?? url,
        package: name,
        severity,
        title,
        range,
        fix: describeFix(fixAvailable),
      })),
  );
  const excused = new Set(allowed.map(({ advisory }) => advisory));
  const fixable = grave.filter(({ fix }) => fix !== null);
  return {
    failing: fixable.filter(({ advisory }) => !excused.has(advisory)),
    allowed: fixable.filter(({ advisory }) => excused.has(advisory)),
    unfixable: grave.filter(({ fix }) => fix === null),
    unneeded: [...excused].filter((each) => !fixable.some(({ advisory }) => advisory === each)),
  };
}

/**
 * The version that fixes a vulnerability, as text; null when none does.
 *
 * @param {boolean | { name: string, version: string, isSemVerMajor: boolean }} fixAvailable
 */
function describeFix(fixAvailable) {
  if (!fixAvailable) return null;
  if (fixAvailable === true) return 'npm audit fix';
  const { name, version, isSemVerMajor } = fixAvailable;
  return `${name} ${version}${isSemVerMajor ? ', a new major version' : ''}`;
}

/**
 * Throws a sentence for an entry without a reason, because it would allow an unexamined vulnerability.
 *
 * @param {string} text
 * @returns {Allowed[]}
 */
export function readAllowed(text) {
  const allowed = JSON.parse(text);
  for (const { advisory, why } of allowed) {
    if (advisory && why?.trim()) continue;
    throw new Error(`scripts/audit-allowed.json does not say why of ${advisory ?? 'an entry'}.`);
  }
  return allowed;
}

/** @param {string[]} args */
async function main(args) {
  const { json: file } = parseOptions(help, { args, options: { json: { type: 'string' } } }).values;
  const allowed = readAllowed(readFileSync(join(root, 'scripts', 'audit-allowed.json'), 'utf8'));
  try {
    const text = file ? readFileSync(file, 'utf8') : await npmAudit();
    printFindings(assessReport(parse(text), allowed));
  } catch (error) {
    if (!(error instanceof NoAudit)) throw error;
    console.error(`The packages could not be audited: ${error.message}.`);
    process.exitCode = 2;
  }
}

/** @param {ReturnType<typeof assessReport>} findings */
function printFindings({ failing, allowed, unfixable, unneeded }) {
  /** @param {Finding} finding */
  const line = ({ advisory, package: name, range, severity, title }) =>
    `${severity}: ${name} ${range}: ${title} (${advisory})`;
  for (const each of unfixable) console.log(`no version fixes it: ${line(each)}`);
  for (const each of allowed) console.log(`allowed: ${line(each)}`);
  for (const each of failing) console.error(`${line(each)}; fixed by: ${each.fix}`);
  for (const each of unneeded) {
    console.error(`${each} is allowed in scripts/audit-allowed.json, but not found: remove it.`);
  }
  if (failing.length + unneeded.length > 0) process.exitCode = 1;
  else
    console.log('No known vulnerability of severity high or critical that another version fixes.');
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new NoAudit('npm audit wrote no JSON');
  }
}

/**
 * The output of npm; its exit code adds no information.
 *
 * @returns {Promise<string>}
 */
function npmAudit() {
  return new Promise((resolve, reject) => {
    const npm = spawn('npm', ['audit', '--json', '--package-lock-only'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
      shell: process.platform === 'win32',
    });
    let text = '';
    npm.stdout.on('data', (chunk) => {
      text += chunk;
    });
    npm.once('error', (error) => reject(new NoAudit(`npm does not run: ${error.message}`)));
    npm.once('close', () => resolve(text));
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runCommand(help, main);
