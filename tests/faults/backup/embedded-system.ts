import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile } from '#platform/config/project.ts';
import { signEmbeddedToken } from '../../support/identity-provider.mjs';
import { System, until } from '../../support/system.ts';
import type { DatabaseUrls } from '../invariants/check-invariants.ts';

/** As in the chaos run: what takes minutes in production takes seconds, and no rate limits the load. */
const SETTINGS = {
  PORT: '0',
  SPACERENT_DEMO: 'off',
  HOLD_SECONDS: '6',
  PAYMENT_TIMEOUT_MS: '1000',
  PROVIDER_TIMEOUT_MS: '1500',
  MAX_UNPAID_HOLDS: '20',
  MUTATIONS_PER_MINUTE_PER_USER: '0',
  MUTATIONS_PER_MINUTE_PER_ADDRESS: '0',
  QUERY_COST_PER_MINUTE_PER_USER: '0',
  QUERY_COST_PER_MINUTE_PER_ADDRESS: '0',
  RECONCILIATION_SECONDS: '1',
  RECONCILIATION_DELAY_SECONDS: '4',
};

/** What `npm start` runs on a home. */
export interface EmbeddedSystem {
  system: System;
  urls: DatabaseUrls;
  signToken(user: string, role: string): Promise<string>;
  stop(): Promise<void>;
}

export async function startEmbeddedSystem(
  home: string,
  settings: Record<string, string> = {},
): Promise<EmbeddedSystem> {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [projectFile('dist/supervisor/src/main.js')], {
    env: { PATH, HOME, ...SETTINGS, ...settings, SPACERENT_HOME: home },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await until(
    'it is ready',
    () => {
      if (child.exitCode !== null) throw new Error(`The system did not start:\n${output}`);
      return output.includes('Ctrl-C stops');
    },
    300,
  );
  const system = new System('embedded', home);
  const { mypage, ...contexts } = system.instance().databases;
  const admin = Object.assign(new URL(contexts.book), { pathname: '/postgres' }).href;
  const secret = readFileSync(join(home, 'auth-secret'), 'utf8').trim();
  return {
    system,
    urls: { admin, contexts, views: mypage },
    signToken: (user, role) => signEmbeddedToken(secret, user, [role], '1h'),
    async stop() {
      child.kill('SIGINT');
      await ended;
    },
  };
}
