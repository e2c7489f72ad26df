import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ContextName } from '#contracts/topology.ts';
import { projectFile } from '#platform/config/project.ts';
import { freePort } from './servers.mjs';

/** What the services of one test know each other by. */
export const internalKeys = randomBytes(32).toString('base64url');

const NOWHERE = 'http://127.0.0.1:1';

/** One service of the build in a process of its own. */
export interface ServiceProcess {
  url: string;
  child: ChildProcess;
  /** All that it has logged. */
  log(): string;
  /** The exit code, or the signal that ended it. */
  exited: Promise<number | string>;
  /** The status of its readiness; 0: nobody listens. */
  readiness(): Promise<number>;
  /** Kills it, should it still run. */
  end(): Promise<void>;
}

/** Starts a service with `env`, and resolves once it is ready; rejects with its log when it ends. */
export async function startServiceProcess(
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
      BOOK_URL: NOWHERE,
      PAYMENT_URL: NOWHERE,
      SPACE_URL: NOWHERE,
      MYPAGE_URL: NOWHERE,
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
  for (let attempt = 0; attempt < 600 && child.exitCode === null; attempt += 1) {
    if ((await started.readiness()) === 200) return started;
    await pause(50);
  }
  await started.end();
  throw new Error(`${service} did not get ready:\n${text}`);
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
