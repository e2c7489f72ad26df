import { readInstance } from './instance-file.ts';
import { isRunning, type ProcessIdentity, signal, waitUntilGone } from './process-identity.ts';

const graceMs = 15_000;

/**
 * Ends the services of a supervisor that was killed. They stop by themselves when it is gone, but
 * may still be finishing work, and the router still holds its port.
 */
export async function endLeftovers(home: string, say: (line: string) => void): Promise<void> {
  const services = Object.entries(readInstance(home)?.services ?? {});
  const running = services.flatMap(([name, { pid, birth }]) => {
    const identity: ProcessIdentity = { pid: pid ?? 0, birth: birth ?? '' };
    return pid !== null && isRunning(identity) ? [{ name, identity }] : [];
  });
  if (running.length === 0) return;

  const names = running.map(({ name, identity }) => `${name} (process ${identity.pid})`);
  say(`Ending what an earlier start left running: ${names.join(', ')}.`);
  const identities = running.map(({ identity }) => identity);
  for (const identity of identities) {
    signal(identity, 'SIGTERM');
    signal(identity, 'SIGCONT');
  }
  if (await waitUntilGone(identities, graceMs)) return;
  for (const identity of identities) signal(identity, 'SIGKILL');
  await waitUntilGone(identities, 5_000);
}
