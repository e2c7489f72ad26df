import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { ChaosSystem } from '../system/chaos-system.ts';
import type { TcpProxy } from '../tcp-proxy.ts';
import type { Fault } from './fault.ts';

type Line = [name: string, proxy: TcpProxy];

/** The statements whose answers get lost, by the service that sends them; node-pg names them. */
const STATEMENTS: readonly [service: 'book' | 'payment' | 'space', text: string][] = [
  ['book', 'booking-request'],
  ['book', 'booking-save'],
  ['book', 'booking-claim-unpaid'],
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
  ['space', 'inbox-take'],
  ['space', 'outbox-acknowledge'],
  ['space', 'COMMIT'],
];

/** What happens on the lines between processes and servers. */
export const networkFaults: readonly Fault[] = [
  {
    name: 'reply-lost',
    weight: 10,
    draw(random, system) {
      const [service, text] = random.pick(STATEMENTS);
      return cutAfter(random, system, service, text);
    },
  },
  {
    name: 'view-commit-lost',
    weight: 3,
    profile: 'servers',
    draw: (random, system) => cutAfter(random, system, 'mypage', 'COMMIT'),
  },
  {
    name: 'connections-reset',
    weight: 5,
    draw(random, system) {
      const lines = drawLines(random, allLines(system), 4);
      const pauses = Array.from({ length: random.between(1, 4) }, () => random.between(50, 500));
      return {
        what: `connections are reset: ${names(lines)}`,
        ms: pauses.reduce((sum, ms) => sum + ms, 0),
        async run() {
          let hit = 0;
          for (const ms of pauses) {
            for (const [, proxy] of lines) {
              hit += proxy.connections;
              proxy.cut();
            }
            await wait(ms);
          }
          return hit > 0;
        },
      };
    },
  },
  {
    name: 'half-open',
    weight: 4,
    draw(random, system) {
      const lines = drawLines(random, allLines(system), 2);
      const ms = random.between(800, 3_500);
      return during(lines, ms, `half-open connections for ${ms} ms`, (proxy) => {
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
      const lines = drawLines(random, allLines(system), 3);
      const delay = random.between(200, 800);
      const ms = random.between(1_000, 3_000);
      return during(lines, ms, `${delay} ms slower for ${ms} ms`, (proxy) => {
        proxy.delay(delay);
        return proxy.connections > 0;
      });
    },
  },
  {
    name: 'database-away',
    weight: 3,
    draw(random, system) {
      const lines = drawLines(random, databaseLines(system), 3);
      const ms = random.between(500, 3_000);
      return during(lines, ms, `databases are away for ${ms} ms`, (proxy) => {
        proxy.refuse();
        return true;
      });
    },
  },
  {
    // Long enough for the breaker, which opens in the middle of sagas and tries again after 5 s.
    name: 'payment-unreachable',
    weight: 4,
    draw(random, system) {
      const ms = random.between(1_500, 5_000);
      return during(
        [['book>payment', system.lines['book>payment'] as TcpProxy]],
        ms,
        `unreachable for ${ms} ms`,
        (proxy) => {
          proxy.refuse();
          return true;
        },
      );
    },
  },
  {
    name: 'payment-reply-lost',
    weight: 5,
    draw(random, system) {
      const times = random.between(1, 10);
      const ms = random.between(600, 2_500);
      const proxy = system.lines['book>payment'] as TcpProxy;
      return {
        what: `the replies to ${times} calls of approvePayment are lost`,
        ms,
        async run() {
          proxy.cutAfter('ApprovePayment', times);
          await wait(ms);
          const hit = proxy.cutsLeft < times;
          proxy.cutAfter('', 0);
          return hit;
        },
      };
    },
  },
  {
    name: 'peers-unreachable',
    weight: 3,
    draw(random, system) {
      const lines = drawLines(random, Object.entries(system.lines), 5);
      const ms = random.between(500, 3_000);
      return during(lines, ms, `unreachable for ${ms} ms`, (proxy) => {
        proxy.refuse();
        return true;
      });
    },
  },
];

function cutAfter(
  random: Random,
  system: ChaosSystem,
  service: 'book' | 'payment' | 'space' | 'mypage',
  text: string,
) {
  const times = random.between(1, 4);
  const ms = random.between(600, 2_500);
  const proxies = system.every(service).flatMap(({ database }) => database ?? []);
  return {
    what: `${service}'s database takes ${text}, and its answer is lost, ${times} times`,
    ms,
    async run() {
      for (const proxy of proxies) proxy.cutAfter(text, times);
      await wait(ms);
      const hit = proxies.some((proxy) => proxy.cutsLeft < times);
      for (const proxy of proxies) proxy.cutAfter('', 0);
      return hit;
    },
  };
}

function during(
  lines: readonly Line[],
  ms: number,
  what: string,
  begin: (proxy: TcpProxy) => boolean,
) {
  return {
    what: `${what}: ${names(lines)}`,
    ms,
    async run() {
      const hits = lines.map(([, proxy]) => begin(proxy));
      await wait(ms);
      for (const [, proxy] of lines) proxy.heal();
      return hits.some((hit) => hit);
    },
  };
}

function databaseLines(system: ChaosSystem): Line[] {
  return system.processes.flatMap(({ name, database }): Line[] =>
    database ? [[`${name}>database`, database]] : [],
  );
}

function allLines(system: ChaosSystem): Line[] {
  const queues = system.processes.flatMap(({ name, queue }): Line[] =>
    queue ? [[`${name}>queue`, queue]] : [],
  );
  return [...databaseLines(system), ...queues, ...Object.entries(system.lines)];
}

/** Some of the lines, at most so many. */
function drawLines(random: Random, lines: readonly Line[], most: number): Line[] {
  const drawn = new Map(
    Array.from({ length: random.between(1, most) }, () => random.pick(lines) as Line),
  );
  return [...drawn];
}

function names(lines: readonly Line[]): string {
  return lines.map(([name]) => name).join(', ');
}
