import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { contextNames, topology } from '#contracts/topology.ts';
import { type BannerContent, banner } from './banner.ts';
import { fetchToken, listDemoSpaces, suggestSlot } from './demo.ts';
import { watchDiskSpace } from './disk-space.ts';
import { lockHome } from './home-lock.ts';
import { type Instance, InstanceFile } from './instance-file.ts';
import { endLeftovers } from './leftovers.ts';
import { lastLines, logFile, rotateLog } from './logs.ts';
import { choosePorts, requireFreePort } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { readOrCreateSecret } from './secrets.ts';
import { defineServices, localUrl, serviceNames, stopServices } from './services.ts';
import { type DatabaseUrls, readSettings, type Settings } from './settings.ts';
import { Shutdown } from './shutdown.ts';
import { NeverReady } from './supervised-process.ts';

const SERVICES_READY_TIMEOUT_MS = 60_000;
// After a crash PostgreSQL replays its log before it accepts connections.
const POSTGRES_READY_TIMEOUT_MS = 180_000;

const say = (line: string) => console.log(line);
const shutdown = new Shutdown(say);

try {
  await Promise.race([start(readSettings(process.env)), shutdown.requested]);
} catch (error) {
  shutdown.fail(error);
}
await shutdown.requested;
await shutdown.run();
if (shutdown.exitCode === 0) say('Stopped.');
process.exit(shutdown.exitCode);

async function start(settings: Settings): Promise<void> {
  const startedAt = new Date();
  const { root, home, host } = settings;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const ports = await choosePorts(settings.port);
  const publicHost = ['127.0.0.1', '0.0.0.0', '::'].includes(host) ? 'localhost' : host;
  const graphqlUrl = `http://${publicHost}:${ports.router}/graphql`;

  shutdown.add(lockHome(home, graphqlUrl));
  await endLeftovers(home, say);
  await requireFreePort(ports.router, host);

  const logs = join(home, 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  for (const name of ['postgres', ...serviceNames]) rotateLog(logFile(logs, name));
  const instance: Instance = {
    pid: process.pid,
    startedAt: startedAt.toISOString(),
    state: 'starting',
    profile: settings.profile.name,
    graphqlUrl,
    logs,
    databases: {},
    services: {},
  };
  const file = new InstanceFile(home, instance, say);
  shutdown.add(() => file.remove());
  const throwIfStopping = () => shutdown.abort.throwIfAborted();
  throwIfStopping();

  const servers = await openServers(settings, ports.postgres, logs, file);
  throwIfStopping();
  const { QUEUE_DATABASE_URL: queue, REDIS_URL: redisUrl } = servers.shared;
  file.update({ databases: { ...servers.databases, ...(queue && { queue }) }, redisUrl });

  const services = defineServices({
    root,
    logs,
    routerHost: host,
    ports,
    shared: {
      ...servers.shared,
      SPACERENT_PROFILE: settings.profile.name,
      SPACERENT_HOME: home,
      // Without a load balancer in front, a drain would only delay the stop.
      DRAIN_SECONDS: '0',
      ...internalTokenKeys(settings),
    },
    databases: servers.databases,
    killsHanging: settings.killsHanging,
    onChange: (name, pid) => file.setService(name, pid, ports[name]),
    say,
  });
  shutdown.add(
    () => stopServices(services),
    () => {
      for (const service of Object.values(services)) service.hurry();
    },
  );
  const starting = serviceNames.map((name) => services[name].start());
  await within(SERVICES_READY_TIMEOUT_MS, starting, logs, () =>
    serviceNames.filter((name) => !services[name].isReady),
  );
  throwIfStopping();

  const example = settings.profile.name === 'embedded' ? await prepareExample(settings, ports) : {};
  throwIfStopping();
  file.update({ state: 'ready' });
  shutdown.add(() => file.update({ state: 'stopping' }));
  const startedInMs = Date.now() - startedAt.getTime();
  say(banner({ graphqlUrl, logs, profile: settings.profile.name, startedInMs, ...example }));
}

/** The keys of the settings, or a file in the home, which the services follow. */
function internalTokenKeys({ internalTokenKeys, home }: Settings): Record<string, string> {
  if (internalTokenKeys !== undefined) return { INTERNAL_TOKEN_KEYS: internalTokenKeys };
  const file = join(home, 'internal-token-key');
  readOrCreateSecret(file);
  return { INTERNAL_TOKEN_KEYS_FILE: file };
}

/** The databases, the queue and the signer of tokens: embedded ones, or those of the settings. */
async function openServers(
  { home, profile }: Settings,
  port: number,
  logs: string,
  file: InstanceFile,
): Promise<{ databases: DatabaseUrls; shared: Record<string, string> }> {
  if (profile.name === 'servers') {
    const { databases, redisUrl, provider } = profile;
    return { databases, shared: { REDIS_URL: redisUrl, ...provider } };
  }
  shutdown.add(watchDiskSpace(home, say));
  const starting = startPostgres({
    home,
    port,
    log: logFile(logs, 'postgres'),
    say,
    onChange: (pid) => file.setPostgres(pid, port),
    onStarting: (postgres) => shutdown.add(() => postgres.stop()),
    abort: shutdown.abort,
  });
  await within(POSTGRES_READY_TIMEOUT_MS, [starting], logs, () => ['postgres']);
  const { queue, ...urls } = await starting;
  const files = Object.fromEntries(
    contextNames
      .filter((name) => topology[name].database !== 'postgres')
      .map((name) => [name, pathToFileURL(join(home, `${name}.sqlite`)).href]),
  );
  const authSecret = readOrCreateSecret(join(home, 'auth-secret'));
  return {
    databases: { ...urls, ...files } as DatabaseUrls,
    shared: { QUEUE_DATABASE_URL: queue, AUTH_SECRET: authSecret },
  };
}

/** Prepares the example for the banner; a failure only makes the banner shorter. */
async function prepareExample(
  { host, demo }: Settings,
  ports: { router: number },
): Promise<Pick<BannerContent, 'demoSpaces' | 'customer' | 'suggestion'>> {
  const url = localUrl(host, ports.router);
  try {
    const demoSpaces = demo ? await listDemoSpaces(url) : 0;
    const customer = { name: 'kim', token: await fetchToken(url, 'kim', 'customer') };
    return { demoSpaces, customer, suggestion: await suggestSlot(url) };
  } catch (error) {
    say(`The example could not be prepared: ${(error as Error).message}.`);
    return {};
  }
}

/** Waits for `work`; after `ms` it throws the names that `findLate` returns, with the end of their logs. */
async function within(
  ms: number,
  work: Promise<unknown>[],
  logs: string,
  findLate: () => string[],
): Promise<void> {
  const done = new AbortController();
  const timeout = delay(ms, undefined, { signal: done.signal }).then(() => {
    throw new Error(
      findLate()
        .map((name) => notReady(name, logs))
        .join('\n'),
    );
  });
  try {
    await Promise.race([Promise.all(work), timeout]);
  } catch (error) {
    throw error instanceof NeverReady ? new Error(notReady(error.processName, logs)) : error;
  } finally {
    done.abort();
    timeout.catch(() => {});
  }
}

function notReady(name: string, logs: string): string {
  const log = logFile(logs, name);
  const lines = lastLines(log, 15).map((line) => `  ${line}`);
  return `${name} is not ready. The end of ${log}:\n${lines.join('\n')}`;
}
