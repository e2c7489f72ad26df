import { eventually, lastLines, run } from './processes.mjs';
import { project } from './stack.mjs';

/** @typedef {ReturnType<typeof container>} Container */

/** Each check starts a program in the container, and so do those of the others at the same time. */
const HEALTHY_TIMEOUT_SECONDS = 300;

/**
 * The container of a service.
 *
 * @param {import('./engine.mjs').Tool} tool
 * @param {string} name
 * @param {import('./stack.mjs').Service} service
 */
export function container(tool, name, service) {
  const id = `${project}-${name}-1`;
  const logs = async () => lastLines(await tool(['logs', '--tail', '25', id]), 25);
  const inspect = async (/** @type {string} */ field) =>
    (await tool(['inspect', '--format', `{{.${field}}}`, id])).trim();
  const restartCount = async () => Number(await inspect('RestartCount'));
  const exec = (/** @type {string[]} */ command) => tool(['exec', id, ...command]);
  const [kind, ...words] = service.healthcheck.test;
  const check = kind === 'CMD-SHELL' ? ['sh', '-c', ...words] : words;

  return {
    name,
    id,
    service,
    isOurs: service.build !== undefined,
    exec,
    /** Kills its process: a kill by the container tool counts as a stop, after which nothing restarts. */
    async crash() {
      const pid = await inspect('State.Pid');
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        await run('sudo', ['-n', 'kill', '-KILL', pid]);
      }
    },
    /** Resolves when its restart policy has started it again after a crash, and it is healthy. */
    async healed() {
      await eventually(
        60,
        async () => ((await restartCount()) > 0 ? true : undefined),
        async () => `${name} was not restarted within 60 s. Its log ends with:\n${await logs()}`,
      );
      let failure = '';
      await eventually(
        HEALTHY_TIMEOUT_SECONDS,
        async () => {
          if ((await restartCount()) > 1) {
            throw new Error(`${name} ended by itself. Its log ends with:\n${await logs()}`);
          }
          return exec(check).catch(({ message }) => {
            failure = message;
          });
        },
        async () =>
          `${name} is not healthy after ${HEALTHY_TIMEOUT_SECONDS} s: ${failure}\n` +
          `Its log ends with:\n${await logs()}`,
      );
    },
    async requireOrdinaryUser() {
      const uid = (await exec(['id', '-u'])).trim();
      if (!/^[1-9]\d*$/.test(uid)) throw new Error(`${name} runs as the user ${uid}.`);
    },
    /** Throws if it has ended at another time than when it was killed: when another container was. */
    async requireRestartedOnce() {
      const count = await restartCount();
      if (count === 1) return;
      throw new Error(
        `${name} was started again ${count} times. Its log ends with:\n${await logs()}`,
      );
    },
    /** Throws unless it ended by itself, and without a failure, when Compose sent it its stop signal. */
    async requireStopped() {
      const state = `${await inspect('State.Status')} with exit code ${await inspect('State.ExitCode')}`;
      if (state === 'exited with exit code 0') return;
      throw new Error(
        `${name} has ${state} when Compose stopped it. Its log ends with:\n${await logs()}`,
      );
    },
    logs,
  };
}
