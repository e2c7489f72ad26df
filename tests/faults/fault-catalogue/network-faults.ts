import { setTimeout as wait } from 'node:timers/promises';
import type { TcpProxy } from '../tcp-proxy.ts';
import type { Fault } from './fault.ts';
import {
  allConnections,
  databaseConnections,
  drawConnections,
  injectFor,
  joinNames,
  loseDatabaseResponses,
  loseResponses,
} from './network-injections.ts';

/** Statements whose responses are lost, by service: names of node-pg's prepared statements, or SQL. */
const STATEMENTS: readonly [service: 'book' | 'payment' | 'space', text: string][] = [
  ['book', 'booking-request'],
  ['book', 'booking-save'],
  ['book', 'booking-claim-expiring'],
  ['book', 'outbox-claim'],
  ['book', 'outbox-acknowledge'],
  ['book', 'COMMIT'],
  ['payment', 'payment-request'],
  ['payment', 'payment-save'],
  ['payment', 'sandbox-decide'],
  ['payment', 'sandbox-refund'],
  ['payment', 'refund-owe'],
  ['payment', 'outbox-claim'],
  ['payment', 'outbox-acknowledge'],
  ['payment', 'COMMIT'],
  ['space', 'registration-insert'],
  ['space', 'registration-save'],
  ['space', 'inbox-record'],
  ['space', 'outbox-acknowledge'],
  ['space', 'COMMIT'],
];

/** Connections break, stall and lose responses. */
export const networkFaults: readonly Fault[] = [
  {
    name: 'response-lost',
    weight: 10,
    draw(random, system) {
      const [service, text] = random.pick(STATEMENTS);
      return loseDatabaseResponses(random, system, service, text);
    },
  },
  {
    name: 'view-commit-lost',
    weight: 3,
    profile: 'servers',
    draw: (random, system) => loseDatabaseResponses(random, system, 'mypage', 'COMMIT'),
  },
  {
    name: 'connections-reset',
    weight: 5,
    draw(random, system) {
      const connections = drawConnections(random, allConnections(system), 4);
      const pauses = Array.from({ length: random.between(1, 4) }, () => random.between(50, 500));
      return {
        description: `connections are reset ${pauses.length} times: ${joinNames(connections)}`,
        durationMs: pauses.reduce((sum, ms) => sum + ms, 0),
        async run() {
          let reset = 0;
          for (const ms of pauses) {
            for (const [, proxy] of connections) {
              reset += proxy.connections;
              proxy.cut();
            }
            await wait(ms);
          }
          return reset > 0;
        },
      };
    },
  },
  {
    name: 'half-open',
    weight: 4,
    draw(random, system) {
      const connections = drawConnections(random, allConnections(system), 2);
      const ms = random.between(800, 3_500);
      return injectFor(connections, ms, `half-open connections for ${ms} ms`, (proxy) => {
        const hit = proxy.connections > 0;
        proxy.silenceOpen();
        return hit;
      });
    },
  },
  {
    name: 'slow-network',
    weight: 5,
    draw(random, system) {
      const connections = drawConnections(random, allConnections(system), 3);
      const delay = random.between(200, 800);
      const ms = random.between(1_000, 3_000);
      return injectFor(connections, ms, `${delay} ms of latency for ${ms} ms`, (proxy) => {
        proxy.delay(delay);
        return proxy.connections > 0;
      });
    },
  },
  {
    name: 'database-unreachable',
    weight: 3,
    draw(random, system) {
      const connections = drawConnections(random, databaseConnections(system), 3);
      const ms = random.between(500, 3_000);
      return injectFor(connections, ms, `databases are unreachable for ${ms} ms`, refuse);
    },
  },
  {
    // Long enough to open the circuit breaker within sagas; it allows the next attempt after 5 s.
    name: 'payment-unreachable',
    weight: 4,
    draw(random, system) {
      const ms = random.between(1_500, 5_000);
      const proxy = system.httpProxies['book>payment'] as TcpProxy;
      return injectFor([['book>payment', proxy]], ms, `unreachable for ${ms} ms`, refuse);
    },
  },
  {
    name: 'payment-response-lost',
    weight: 5,
    draw(random, system) {
      const times = random.between(1, 10);
      const ms = random.between(600, 2_500);
      const proxy = system.httpProxies['book>payment'] as TcpProxy;
      const description = `${times} responses of payment to approvePayment are lost`;
      return loseResponses([proxy], 'ApprovePayment', times, ms, description);
    },
  },
  {
    name: 'peers-unreachable',
    weight: 3,
    draw(random, system) {
      const connections = drawConnections(random, Object.entries(system.httpProxies), 5);
      const ms = random.between(500, 3_000);
      return injectFor(connections, ms, `unreachable for ${ms} ms`, refuse);
    },
  },
];

function refuse(proxy: TcpProxy): boolean {
  proxy.refuse();
  return true;
}
