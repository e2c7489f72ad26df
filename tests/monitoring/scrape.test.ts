import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isInstalled } from '../faults/system/programs.ts';
import { CANCEL_BOOKING, listSpace, newCustomer } from '../support/customer.ts';
import { describeSystems, eventually, type System, until } from '../support/system.ts';
import { readDocumentedMetrics, readQueries } from './files.ts';
import { Prometheus, type Series } from './prometheus.ts';

const token = String(process.env.SYSTEM_METRICS_TOKEN);

/** Nothing has failed, no client has subscribed, and only a container has a limit of its memory. */
const MAY_BE_EMPTY =
  /failures|deferred|not_understood|outcome="error"|outcome!=|kind="subscription"|memory_limit|ratio_rate6h/;

/** Labels that are no metric's own. */
const COMMON_LABELS = ['service', 'le', 'quantile'];

const GROUPS: Record<string, string[]> = {
  all: ['router', 'book', 'payment', 'space', 'mypage'],
  contexts: ['book', 'payment', 'space', 'mypage'],
};

/** What a service serves: its metrics with type and help, and the labels of their samples. */
async function scrape(system: System, service: string) {
  const url = system.instance().services[service]?.url;
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const metrics = new Map<string, { type: string; help: string; labels: Set<string> }>();
  let current = { type: '', help: '', labels: new Set<string>() };
  for (const line of (await response.text()).split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      current = { type: '', help: rest, labels: new Set() };
      metrics.set(name, current);
    } else if (keyword === 'TYPE') current.type = rest;
    else for (const [, label = ''] of line.matchAll(/[{,](\w+)="/g)) current.labels.add(label);
  }
  return metrics;
}

/** A booking that is registered, and one that is cancelled: what most metrics count. */
async function book(system: System): Promise<void> {
  const space = await listSpace(system);
  const kim = await newCustomer(system);
  const { booking } = await kim.request(space.id);
  await kim.waitForStatus(booking.id, 'REGISTERED');
  await system.graphql(kim.token, CANCEL_BOOKING, { id: booking.id });
  await kim.waitForStatus(booking.id, 'CANCELLED');
}

describeSystems('the metrics', (system) => {
  test('the documentation lists exactly the metrics that the processes serve', async () => {
    await book(system);
    const documented = readDocumentedMetrics().map(({ labels, services, ...metric }) => ({
      ...metric,
      labels,
      services: services.flatMap((name) => GROUPS[name] ?? [name]),
    }));
    const served: typeof documented = [];
    for (const service of GROUPS.all ?? []) {
      for (const [name, { type, help, labels }] of await scrape(system, service)) {
        const known = served.find((metric) => metric.name === name);
        const own = [...labels].filter((label) => !COMMON_LABELS.includes(label));
        if (known) {
          known.services.push(service);
          known.labels = [...new Set([...known.labels, ...own])];
        } else served.push({ name, type, meaning: help, labels: own, services: [service] });
      }
    }
    const ofTable = (metrics: typeof documented) =>
      metrics
        .map(({ name, type, services, meaning }) => `${name} ${type} ${services} ${meaning}`)
        .sort();
    expect(ofTable(served)).toEqual(ofTable(documented));
    const undocumented = served.flatMap(({ name, labels }) => {
      const known = documented.find((metric) => metric.name === name)?.labels ?? [];
      return labels.filter((label) => !known.includes(label)).map((label) => `${name}: ${label}`);
    });
    expect(undocumented).toEqual([]);
  });

  const testWithPrometheus = isInstalled('prometheus') ? test : test.skip;
  let prometheus: Prometheus | undefined;
  beforeAll(async () => {
    if (!isInstalled('prometheus')) return;
    const services = Object.entries(system.instance().services);
    const targets = Object.fromEntries(services.map(([name, { url }]) => [name, url]));
    prometheus = await Prometheus.start(targets, token);
  });
  afterAll(() => prometheus?.stop());

  testWithPrometheus(
    'Prometheus scrapes every service, and evaluates every alert and every query of a dashboard',
    async () => {
      const server = prometheus as Prometheus;
      await until('all services are scraped', async () => (await scraped(server)) === 5);
      await book(system);
      await until(
        'the booking is counted',
        async () => (await server.query('sum(increase(spacerent_bookings_total[5m])) > 0')).length,
      );
      let empty = (await findEmpty(server, readQueries())).filter(
        ({ place, query }) => place.includes('.json') && !MAY_BE_EMPTY.test(query),
      );
      // Some need a second sample, or a second evaluation of a rule.
      await eventually(async () => {
        empty = await findEmpty(server, empty);
        expect(empty).toEqual([]);
      });
      expect(await server.failedRules()).toEqual([]);
    },
    120_000,
  );
});

/** The queries that return nothing. */
async function findEmpty(server: Prometheus, queries: ReturnType<typeof readQueries>) {
  const results = await Promise.all(queries.map(({ query }) => server.query(query)));
  return queries.filter((_, index) => results[index]?.length === 0);
}

async function scraped(server: Prometheus): Promise<number> {
  const up: Series[] = await server.query('up{job="spacerent"} == 1');
  return new Set(up.map(({ metric }) => metric.service)).size;
}
