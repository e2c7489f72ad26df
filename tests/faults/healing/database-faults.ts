import { setTimeout as wait } from 'node:timers/promises';
import { queryRows } from '../invariants/query-rows.ts';
import type { Records } from '../load/records.ts';
import type { MariaDb } from '../system/mariadb.ts';
import { sendSignal } from '../system/send-signal.ts';
import { signalOnExit } from '../system/signal-on-exit.ts';
import type { DatabaseServers } from './database-servers.ts';
import type { Fault } from './fault.ts';
import { untilReplaced } from './process-faults.ts';

/** How long an asynchronous standby lags behind before its primary is lost. */
const LAG_MS = 2_000;
const PROXY_SECONDS = 60;

/** Restarts of the servers, which take seconds and need no failover. */
export function restartFaults({ postgresPair, mariaDb }: DatabaseServers): Fault[] {
  const { postgres } = postgresPair;
  const bookUrl = postgres.urls.book;
  return [
    ...(['fast', 'immediate'] as const).map((mode): Fault => {
      let before = '';
      const startedAt = async () => {
        const [row] = await queryRows<{ at: string }>(
          bookUrl,
          'SELECT pg_postmaster_start_time()::text AS at',
        );
        return row?.at ?? '';
      };
      return {
        ...{ group: 'database', what: `${mode} restart`, target: 'PostgreSQL' },
        repairedBy: 'its supervisor',
        async inject() {
          before = await startedAt();
          postgres.restart(mode);
        },
        untilRepaired: (signal) =>
          until(async () => ![before, ''].includes(await startedAt().catch(() => '')), signal),
      };
    }),
    restartOfMariaDb(mariaDb),
  ];
}

function restartOfMariaDb(mariaDb: MariaDb): Fault {
  let before: number | undefined;
  return {
    ...{ group: 'database', what: 'restart', target: 'MariaDB', repairedBy: 'its supervisor' },
    async inject() {
      before = mariaDb.pid();
      mariaDb.restart();
    },
    untilRepaired: (signal) => untilReplaced(mariaDb, before, signal),
  };
}

/** The primary is lost; its standby takes over, and the lost server becomes the standby. */
export function failoverFault({ postgresPair, proxy }: DatabaseServers): Fault {
  return {
    ...{ group: 'failover', what: 'loss of the primary', target: 'PostgreSQL' },
    repairedBy: 'promotion of the standby',
    inject: () => postgresPair.losePrimary(),
    async untilRepaired(signal) {
      await postgresPair.failOver();
      await proxy.waitUntilUp(postgresPair.primaryName, PROXY_SECONDS, signal);
    },
    async inspect() {
      await postgresPair.addStandby();
      await postgresPair.requireReadOnlyStandby();
      const { primaryName, standbyName } = postgresPair;
      const counters = await proxy.counters();
      if (counters.some(({ server, isUp }) => server === standbyName && isUp)) {
        throw new Error(`HAProxy sends requests to ${standbyName}, which is a standby.`);
      }
      return [
        `${primaryName} took over; ${standbyName} came back with a copy of its data, as its standby, and refuses writes`,
      ];
    },
  };
}

/** The same with asynchronous replication, whose standby lags: what it had not received is lost. */
export function asynchronousFailoverFault(
  { postgresPair, proxy }: DatabaseServers,
  records: Records,
): Fault {
  let earlier = 0;
  return {
    ...{ group: 'failover', what: 'the same, asynchronous', target: 'PostgreSQL' },
    repairedBy: 'promotion of the standby',
    losesData: true,
    async inject() {
      earlier = records.requests.length;
      await postgresPair.replicate('asynchronous');
      const sender = await postgresPair.senderPid();
      const cancel = signalOnExit('CONT', sender);
      sendSignal(sender, 'SIGSTOP');
      await wait(LAG_MS);
      await postgresPair.losePrimary();
      cancel();
    },
    async untilRepaired(signal) {
      await postgresPair.failOver();
      await proxy.waitUntilUp(postgresPair.primaryName, PROXY_SECONDS, signal);
    },
    async inspect() {
      const acknowledged = records.requests
        .slice(earlier)
        .flatMap(({ outcome }) => (outcome.kind === 'ok' ? outcome.bookingId : []));
      const found = await queryRows(
        postgresPair.postgres.urls.book,
        'SELECT FROM booking WHERE id = ANY($1::uuid[])',
        [acknowledged],
      );
      return [
        `of ${acknowledged.length} bookings that were acknowledged since the standby lagged, ${acknowledged.length - found.length} are lost`,
      ];
    },
  };
}

/** The master of the queue is lost; its replica takes over, and the lost server becomes the replica. */
export function redisFailoverFault({ redisPair, proxy }: DatabaseServers): Fault {
  return {
    ...{ group: 'redis', what: 'loss of the master', target: 'Redis' },
    repairedBy: 'promotion of the replica',
    inject: () => redisPair.loseMaster(),
    async untilRepaired(signal) {
      await redisPair.failOver();
      await proxy.waitUntilUp(redisPair.masterName, PROXY_SECONDS, signal);
    },
    async inspect() {
      await redisPair.addReplica();
      return [
        `${redisPair.masterName} took over; ${redisPair.replicaName} came back empty, as its replica`,
      ];
    },
  };
}

async function until(condition: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await condition())) {
    signal.throwIfAborted();
    await wait(50);
  }
}
