import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './processes.mjs';

const fakeImageName = 'localhost/spacerent-fake-node';
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
 * @param {import('./container-tool.mjs').Tool} podman
 */
export async function buildFakeBaseImage(root, folder, podman) {
  const baseImage = baseImageName(root);
  const [, node, suite] = /^node:(\d+)-(\w+)-slim$/.exec(baseImage) ?? [];
  if (!node || !suite) throw new Error(`${baseImage} is no slim image of Node.js on Debian.`);
  const tree = join(folder, 'base');
  await run('debootstrap', ['--variant=minbase', suite, tree]);

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

  await run('chroot', [tree, 'groupadd', '--gid', '1000', 'node']);
  await run('chroot', [tree, 'useradd', '--uid', '1000', '--gid', 'node', '-m', 'node']);
  await run('rm', ['-rf', join(tree, 'var/cache/apt'), join(tree, 'var/lib/apt/lists')]);
  const archive = join(folder, 'base.tar');
  await run('tar', ['-C', tree, '-cf', archive, '.']);
  await run('rm', ['-rf', tree, download]);
  await podman(['import', archive, fakeImageName]);
  await run('rm', [archive]);
  return fakeImageName;
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
