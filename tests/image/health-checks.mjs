import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs each container's health check at the intervals of docker-compose.yml, until the returned function is
 * called. podman leaves this to timers of systemd, which a container or a sandbox does not have.
 *
 * @param {Pick<import('./container.mjs').Container, 'id' | 'service'>[]} containers
 * @param {(id: string) => Promise<string>} checkHealth resolves with the status after one more check
 */
export function runHealthChecks(containers, checkHealth) {
  const stop = new AbortController();
  const loops = containers.map(async ({ id, service: { healthcheck } }) => {
    const usual = milliseconds(healthcheck.interval);
    const first = milliseconds(healthcheck.start_interval ?? healthcheck.interval);
    while (!stop.signal.aborted) {
      const isStarting = (await checkHealth(id)) === 'starting';
      await sleep(isStarting ? first : usual, undefined, { signal: stop.signal }).catch(() => {});
    }
  });
  return async () => {
    stop.abort();
    await Promise.all(loops);
  };
}

/** @param {string} duration whole seconds, such as 10s */
function milliseconds(duration) {
  const seconds = /^(\d+)s$/.exec(duration)?.[1];
  if (!seconds) throw new Error(`The interval ${duration} of a health check is not in seconds.`);
  return Number(seconds) * 1000;
}
