import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ContextName } from '#contracts/topology.ts';
import { projectFile } from '#platform/config/project.ts';
import { freePort } from './servers.mjs';

/** The shared secret by which the services of one test authenticate each other. */
export const internalKeys = randomBytes(32).toString('base64url');

const UNUSED_URL = 'http://127.0.0.1:1';

/** A process of one service, from the build. */
export interface ServiceProcess {
  url: string;
  child: ChildProcess;
  /** The whole log so far. */
  log(): string;
  /** The exit code, or the signal that ended it. */
  exited: Promise<number | string>;
  /** The HTTP status of its readiness endpoint, or 0 while nothing listens. */
  readiness(): Promise<number>;
  /** Kills it if it still runs. */
  end(): Promise<void>;
}

/** Starts a service with `env`, and resolves once it is ready; rejects with its log if it ends first. */
export async function startServiceProcess(
  service: 'router' | ContextName,
  env: Record<string, string>,
): Promise<ServiceProcess> {
  const started = await launchServiceProcess(service, env);
  for (let attempt = 0; attempt < 600 && started.child.exitCode === null; attempt += 1) {
    if ((await started.readiness()) === 200) return started;
    await pause(50);
  }
  await started.end();
  throw new Error(`${service} did not get ready:\n${started.log()}`);
}

/** Starts a service with `env`, and does not wait for it. */
export async function launchServiceProcess(
  service: 'router' | ContextName,
  env: Record<string, string>,
): Promise<ServiceProcess> {
  const port = Number(env.PORT ?? (await freePort()));
  const folder = service === 'router' ? 'router' : `subgraphs/${service}`;
  const { NODE_OPTIONS, ...inherited } = process.env;
  const child = spawn(process.execPath, [projectFile(`dist/${folder}/src/main.js`)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...inherited,
      HOST: '127.0.0.1',
      PORT: String(port),
      INTERNAL_TOKEN_KEYS: internalKeys,
      BOOK_URL: UNUSED_URL,
      PAYMENT_URL: UNUSED_URL,
      SPACE_URL: UNUSED_URL,
      MYPAGE_URL: UNUSED_URL,
      ...env,
    },
  });
  let text = '';
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (chunk) => {
      text += chunk;
    });
  }
  const url = `http://127.0.0.1:${port}`;
  const started: ServiceProcess = {
    url,
    child,
    log: () => text,
    exited: new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? String(signal)));
    }),
    readiness: () => statusOf(`${url}/health/ready`),
    async end() {
      child.kill('SIGKILL');
      await started.exited;
    },
  };
  return started;
}

async function statusOf(url: string): Promise<number> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  }
}
