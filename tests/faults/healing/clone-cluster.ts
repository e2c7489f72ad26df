import { spawnSync } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import {
  appendFile,
  copyFile,
  mkdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { backUpCluster } from '../../../supervisor/src/backup/cluster-backup.ts';
import { superuser } from '../../../supervisor/src/postgres-data.ts';

const PREFIX = 'data';

/** A server that runs on the data of its home. */
export interface ClonedServer {
  home: string;
  port: number;
  adminUrl: string;
}

/**
 * Gives `home` a copy of a running server's data, which follows that server once it is started. Data that were there
 * before are removed: they may contradict those of the server.
 */
export async function cloneCluster(from: ClonedServer, home: string, name: string): Promise<void> {
  const source = await realpath(join(from.home, 'postgres'));
  // Next to the source: the user of the server may not reach the home.
  const data = join(dirname(source), name);
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { recursive: true, mode: 0o700 });
  const target = (path: string) => join(data, path.slice(PREFIX.length + 1));
  const folders = await backUpCluster({
    data: source,
    url: from.adminUrl,
    prefix: PREFIX,
    writer: {
      async addFile(path, handle) {
        await mkdir(dirname(target(path)), { recursive: true, mode: 0o700 });
        const reading = handle.createReadStream({ autoClose: false });
        await pipeline(reading, createWriteStream(target(path), { mode: 0o600 }));
      },
      addContent: (path, content) => writeFile(target(path), content, { mode: 0o600 }),
    },
    onProgress: () => {},
    abort: new AbortController().signal,
  });
  for (const folder of folders) await mkdir(join(data, folder), { recursive: true, mode: 0o700 });
  await follow(from, home, data, name);
  const { uid, gid } = await stat(source);
  if (uid !== process.getuid?.()) spawnSync('chown', ['-R', `${uid}:${gid}`, data]);
}

/** Makes the copy a standby, and the data of the home. */
async function follow(from: ClonedServer, home: string, data: string, name: string): Promise<void> {
  const secret = 'postgres-password';
  await mkdir(home, { recursive: true, mode: 0o700 });
  if (from.home !== home) await copyFile(join(from.home, secret), join(home, secret));
  const password = (await readFile(join(home, secret), 'utf8')).trim();
  const primary = `host=127.0.0.1 port=${from.port} user=${superuser} password=${password} application_name=${name}`;
  await appendFile(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${primary}'\n`);
  await writeFile(join(data, 'standby.signal'), '');
  const link = join(home, 'postgres');
  if (existsSync(link)) await rm(link, { recursive: true });
  await symlink(data, link);
}
