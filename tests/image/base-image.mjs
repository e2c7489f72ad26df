import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './processes.mjs';

const substituteName = 'localhost/spacerent-base';
const authorities = 'etc/ssl/certs/ca-certificates.crt';

/** @param {string} root */
export function baseImageName(root) {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const name = /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile)?.[1];
  if (!name) throw new Error('The Dockerfile names no base image as NODE_IMAGE.');
  return name;
}

/**
 * Builds a substitute for the base image (the same Debian and Node, the user `node` with the id 1000) from
 * packages of Debian and npm, for machines that cannot pull images. Resolves with its name.
 *
 * @param {string} root
 * @param {string} folder
 * @param {import('./engine.mjs').Tool} podman
 */
export async function buildBaseImage(root, folder, podman) {
  const baseImage = baseImageName(root);
  const [, node, suite] = /^node:(\d+)-(\w+)-slim$/.exec(baseImage) ?? [];
  if (!node || !suite) throw new Error(`${baseImage} is no slim image of Node.js on Debian.`);
  const tree = join(folder, 'base');
  const packages = '--include=passwd,libstdc++6';
  await run('mmdebstrap', ['--mode=root', '--variant=essential', packages, suite, tree]);

  const name = `node-linux-${process.arch}`;
  const download = join(folder, 'node');
  mkdirSync(download);
  writeFileSync(join(download, 'package.json'), '{}');
  await run('npm', ['install', '--prefix', download, '--ignore-scripts', `${name}@${node}`], {
    cwd: download,
  });
  copyFileSync(join(download, 'node_modules', name, 'bin/node'), join(tree, 'usr/local/bin/node'));

  const npm = dirname(dirname(realpathSync((await run('which', ['npm'])).trim())));
  cpSync(npm, join(tree, 'usr/local/lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(tree, 'usr/local/bin/npm'));
  await configureNpmRegistry(tree, download);
  rmSync(download, { recursive: true });

  await run('chroot', [tree, 'groupadd', '--gid', '1000', 'node']);
  await run('chroot', [tree, 'useradd', '--uid', '1000', '--gid', 'node', '-m', 'node']);
  await importImage(podman, tree, substituteName, []);
  rmSync(tree, { recursive: true });
  return substituteName;
}

/**
 * Makes an image of a folder. `changes` are lines of a Dockerfile.
 *
 * @param {import('./engine.mjs').Tool} podman
 * @param {string} tree
 * @param {string} name
 * @param {string[]} changes
 */
export async function importImage(podman, tree, name, changes) {
  const archive = `${tree}-${name.replace(/\W/g, '-')}.tar`;
  await run('tar', ['-C', tree, '-cf', archive, '.']);
  await podman(['import', ...changes.flatMap((line) => ['--change', line]), archive, name]);
  rmSync(archive);
}

/**
 * The machine may have access only to a mirror, or to a proxy with a certificate of its own.
 *
 * @param {string} tree
 * @param {string} cwd
 */
async function configureNpmRegistry(tree, cwd) {
  const registry = (
    await run('npm', ['config', 'get', 'registry', '--loglevel=error'], { cwd })
  ).trim();
  const lines = [`registry=${registry}`];
  if (existsSync(join('/', authorities))) {
    mkdirSync(join(tree, dirname(authorities)), { recursive: true });
    copyFileSync(join('/', authorities), join(tree, authorities));
    lines.push(`cafile=/${authorities}`);
  }
  mkdirSync(join(tree, 'usr/local/etc'), { recursive: true });
  writeFileSync(join(tree, 'usr/local/etc/npmrc'), `${lines.join('\n')}\n`);
}

/**
 * The size of an image in words; `base` is the image that it is built on.
 *
 * @param {import('./engine.mjs').Tool} tool
 * @param {string} name
 * @param {string} base
 */
export async function imageSize(tool, name, base) {
  const inspect = async (/** @type {string} */ image) =>
    Number(await tool(['image', 'inspect', '--format', '{{.Size}}', image]));
  const whole = await inspect(name);
  // BuildKit does not put the base into the list of images.
  const below = await inspect(base).catch(() => undefined);
  const megabytes = (/** @type {number} */ bytes) => `${Math.round(bytes / 1e6)} MB`;
  if (below === undefined) return `${megabytes(whole)} with the base image`;
  return `${megabytes(whole)}, of which ${megabytes(below)} are the base image`;
}
