import { describe, expect, test } from '@jest/globals';
import { contextNames } from '#contracts/topology.ts';
import {
  anchorsOf,
  type Panel,
  readDashboards,
  readDocumentedMetrics,
  readQueries,
  readRules,
} from './files.ts';
import { parseExpression } from './promql.ts';

/** Labels that Prometheus, Kubernetes or every service adds. */
const TARGET_LABELS = ['namespace', 'service', 'instance', 'job'];
/** Series of Prometheus itself. */
const OF_PROMETHEUS = ['up', 'ALERTS'];

const documented = new Map(readDocumentedMetrics().map((metric) => [metric.name, metric]));
const recorded = new Set(readRules().flatMap(({ record }) => record ?? []));

/** The documented metric of a series, also of one of a histogram or a summary. */
function findMetric(series: string) {
  return documented.get(series) ?? documented.get(series.replace(/_(bucket|count|sum)$/, ''));
}

describe('the queries of dashboards and rules', () => {
  test('every metric of a dashboard or rule is documented, with the labels that are compared', () => {
    const problems = readQueries().flatMap(({ place, query }) =>
      parseExpression(query).selectors.flatMap(({ metric, labels }) => {
        if (OF_PROMETHEUS.includes(metric) || recorded.has(metric)) return [];
        const known = findMetric(metric);
        if (!known) return [`${place}: there is no metric ${metric}`];
        const ofHistogram = known.type === 'histogram' ? ['le'] : [];
        const unknown = labels.filter(
          (label) => ![...TARGET_LABELS, ...ofHistogram, ...known.labels].includes(label),
        );
        return unknown.map((label) => `${place}: ${metric} has no label ${label}`);
      }),
    );
    expect(problems).toEqual([]);
  });

  test('a dashboard or rule groups by labels that its metrics have', () => {
    const problems = readQueries().flatMap(({ place, query }) => {
      const { selectors, grouping } = parseExpression(query);
      const labels = selectors.flatMap(({ metric }) => findMetric(metric)?.labels ?? ['kind']);
      return grouping
        .filter((label) => ![...TARGET_LABELS, 'le', ...labels].includes(label))
        .map((label) => `${place}: no metric has the label ${label}`);
    });
    expect(problems).toEqual([]);
  });

  test('what is the same in all replicas is not added up', () => {
    const problems = readQueries()
      .filter(({ query }) => {
        const [{ metric } = { metric: '' }] = parseExpression(query).selectors;
        return (
          findMetric(metric)?.meaning.includes('Whole database') && /^sum\b(?!.*max)/.test(query)
        );
      })
      .map(({ place }) => place);
    expect(problems).toEqual([]);
  });
});

describe('the alerts', () => {
  test.each(readRules().flatMap((rule) => (rule.alert ? [[rule.alert, rule] as const] : [])))(
    'the alert %s has a severity, a summary, a description and a section of the runbook',
    (_name, { labels = {}, annotations = {} }) => {
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations.summary).toMatch(/\w/);
      expect(annotations.description).toMatch(/\w.*\.$/);
      const [file = '', anchor] = String(annotations.runbook).split('#');
      expect(anchorsOf(file)).toContain(anchor);
    },
  );

  test('every section of the runbook on an alert has its alert', () => {
    const alerts = readRules().flatMap(({ alert }) => alert?.toLowerCase() ?? []);
    const sections = anchorsOf('docs/operations/runbook.md').filter((anchor) =>
      /^spacerent[a-z]+$/.test(anchor),
    );
    expect(sections.sort()).toEqual(alerts.sort());
  });
});

describe.each(readDashboards())('the dashboard %s', (file, dashboard) => {
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');

  test('the dashboard has the name of its file, and a variable for its data source', () => {
    expect(`${dashboard.uid}.json`).toBe(file);
    expect(dashboard.templating.list[0]).toMatchObject({ type: 'datasource', query: 'prometheus' });
    const datasources = panels.flatMap(({ datasource, targets = [] }) => [
      datasource?.uid,
      ...targets.map((target) => target.datasource.uid),
    ]);
    expect([...new Set(datasources)]).toEqual([`$\{datasource}`]);
  });

  test('every panel has a title, a description, a unit and a query', () => {
    for (const { title, description, fieldConfig, targets = [] } of panels) {
      expect([title, description, fieldConfig?.defaults.unit]).toEqual([
        expect.stringMatching(/\w/),
        expect.stringMatching(/\w.*\.$/),
        expect.stringMatching(/\w/),
      ]);
      expect(targets.length).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    }
  });

  test('the panels have ids of their own, and lie on the grid without overlaps', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    }
    const overlaps = dashboard.panels.flatMap((one, index) =>
      dashboard.panels
        .slice(index + 1)
        .filter((other) => overlap(one.gridPos, other.gridPos))
        .map((other) => `${one.title} and ${other.title}`),
    );
    expect(overlaps).toEqual([]);
  });

  test('no query names an instance, a service or a context', () => {
    const names = ['router', ...contextNames].join('|');
    const hardCoded = new RegExp(`(instance|service|pod)=~?"|"(${names})"`);
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(
      queries.filter((query) => hardCoded.test(query.replaceAll('service=~"$service"', ''))),
    ).toEqual([]);
  });
});

function overlap(a: Panel['gridPos'], b: Panel['gridPos']): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
