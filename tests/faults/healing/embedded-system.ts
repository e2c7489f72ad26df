import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile } from '#platform/config/project.ts';
import { OUTPUT, startSystem } from '../../../bench/system/system.ts';
import { readInstance } from '../../../supervisor/src/instance-file.ts';
import { serviceNames } from '../../../supervisor/src/services.ts';
import { prepareLoad } from '../replicas/load.ts';
import type { RunFolder } from '../run-folder.ts';
import { embeddedTokens } from '../system/identity.ts';
import { createClients } from './clients.ts';
import type { MeasuredSystem } from './measure-fault.ts';
import { type FailingProcess, respondsReady } from './process-faults.ts';

/** What `npm start` runs, in a home of its own. */
export interface EmbeddedSystem extends MeasuredSystem {
  /** What the supervisor said to the operator. */
  readOutput(): string;
  processes: readonly FailingProcess[];
}

/** Starts it in a new folder of `parent`, with clients. */
export async function startEmbedded(
  parent: string,
  clients: number,
  { path, onStop }: RunFolder,
  signal: AbortSignal,
): Promise<EmbeddedSystem> {
  const { home, url, postgresUrl, instance, stop } = await startSystem(
    parent,
    { MAX_UNPAID_HOLDS: '1000' },
    projectFile('.'),
    // Not on the disk of the home, which may be full.
    path,
  );
  onStop(stop);
  const loaded = {
    url,
    tokenFor: await embeddedTokens(readFileSync(join(home, 'auth-secret'), 'utf8').trim()),
    postgres: {
      urls: {
        book: postgresUrl('book'),
        payment: postgresUrl('payment'),
        space: postgresUrl('space'),
        queue: postgresUrl('queue'),
      },
      adminUrl: postgresUrl('postgres'),
    },
    viewsUrl: instance.databases.mypage as string,
  };
  const load = await prepareLoad(loaded, 'healing', signal);
  onStop(() => load.close());
  return {
    ...loaded,
    name: 'npm start',
    load,
    clients: createClients(load, clients),
    readOutput: () => readFileSync(join(path, OUTPUT), 'utf8'),
    processes: serviceNames.map((service) => ({
      service,
      name: service,
      // The file is being replaced at times, and missing for none.
      pid: () => readInstance(home)?.services[service]?.pid ?? undefined,
      isReady: () => respondsReady(instance.services[service]?.url as string),
    })),
  };
}
