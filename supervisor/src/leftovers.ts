import { readInstance } from './instance-file.ts';
import { isRunning, type ProcessIdentity, signal, waitUntilGone } from './process-identity.ts';

const STOP_TIMEOUT_MS = 15_000;
const KILL_TIMEOUT_MS = 5_000;

/**
 * Stops the services of a supervisor that was killed. They stop by themselves, but may still be
 * finishing requests, and the router may still listen on its port.
 */
export async function endLeftovers(home: string, say: (line: string) => void): Promise<void> {
  const services = Object.entries(readInstance(home)?.services ?? {});
  const running = services.flatMap(([name, { pid, birth }]) => {
    const identity: ProcessIdentity = { pid: pid ?? 0, birth: birth ?? '' };
    return pid !== null && isRunning(identity) ? [{ name, identity }] : [];
  });
  if (running.length === 0) return;

  const names = running.map(({ name, identity }) => `${name} (process ${identity.pid})`);
  say(`Stopping processes of an earlier start: ${names.join(', ')}.`);
  const identities = running.map(({ identity }) => identity);
  for (const identity of identities) {
    signal(identity, 'SIGTERM');
    signal(identity, 'SIGCONT');
  }
  if (await waitUntilGone(identities, STOP_TIMEOUT_MS)) return;
  for (const identity of identities) signal(identity, 'SIGKILL');
  await waitUntilGone(identities, KILL_TIMEOUT_MS);
}
