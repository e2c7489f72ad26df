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

const standIn = 'localhost/spacerent-node-stand-in';
const authorities = 'etc/ssl/certs/ca-certificates.crt';

export function baseImageName(root) {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
  return /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile)[1];
}

/**
 * Makes what the base image is (the same Debian and Node, the user `node` with the id 1000) from
 * Debian's and npm's packages, for machines that cannot pull images. Gives the image's name.
 */
export async function makeStandIn(root, folder, podman) {
  const [, node, suite] = /^node:(\d+)-(\w+)-slim$/.exec(baseImageName(root));
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
  await letNpmReachItsRegistry(tree, download);

  await run('chroot', [tree, 'groupadd', '--gid', '1000', 'node']);
  await run('chroot', [tree, 'useradd', '--uid', '1000', '--gid', 'node', '-m', 'node']);
  await run('rm', ['-rf', join(tree, 'var/cache/apt'), join(tree, 'var/lib/apt/lists')]);
  const archive = join(folder, 'base.tar');
  await run('tar', ['-C', tree, '-cf', archive, '.']);
  await run('rm', ['-rf', tree, download]);
  await podman(['import', archive, standIn]);
  await run('rm', [archive]);
  return standIn;
}

/** This machine may reach a mirror only, or a registry behind a proxy with a certificate of its own. */
async function letNpmReachItsRegistry(tree, cwd) {
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
