import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectFile } from '#platform/config/project.ts';

const read = (file: string) => readFileSync(projectFile(file), 'utf8');

export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** The recording rules and the alerts of deploy/prometheus. */
export function readRules(): Rule[] {
  return ['recording', 'alerts'].flatMap((name) => {
    const { groups } = parse(read(`deploy/prometheus/${name}.rules.yml`));
    return (groups as { rules: Rule[] }[]).flatMap(({ rules }) => rules);
  });
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { type: string; uid: string };
  fieldConfig?: { defaults: { unit?: string } };
  targets?: { refId: string; expr: string; datasource: { uid: string } }[];
}

export interface Dashboard {
  uid: string;
  title: string;
  templating: { list: { name: string; type: string; query: string | { query: string } }[] };
  panels: Panel[];
}

/** The dashboards of deploy/grafana, by the names of their files. */
export function readDashboards(): [file: string, dashboard: Dashboard][] {
  const folder = 'deploy/grafana';
  return readdirSync(projectFile(folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => [file, JSON.parse(read(join(folder, file)))]);
}

/** The expression of a panel with values for Grafana's variables, as Prometheus reads it. */
export function withValues(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '5m')
    .replaceAll(/\$(namespace|service)\b/g, '.*');
}

/** Every query of a dashboard or rule, and where it is. */
export function readQueries(): { place: string; query: string }[] {
  const rules = readRules().map(({ alert, record, expr }) => ({
    place: `rule ${alert ?? record}`,
    query: expr,
  }));
  const panels = readDashboards().flatMap(([file, { panels }]) =>
    panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr, refId }) => ({
        place: `${file}, ${title}, ${refId}`,
        query: withValues(expr),
      })),
    ),
  );
  return [...rules, ...panels];
}

/** One row of the table in docs/operations/metrics.md. */
export interface DocumentedMetric {
  name: string;
  type: string;
  labels: string[];
  services: string[];
  meaning: string;
}

/** The metrics that the documentation lists. */
export function readDocumentedMetrics(): DocumentedMetric[] {
  return read('docs/operations/metrics.md')
    .split('\n')
    .filter((line) => /^\| `(spacerent|process|nodejs)_/.test(line))
    .map((line) => {
      const cells = line.split('|').slice(1, -1);
      const [name = '', type = '', labels = '', services = '', meaning = ''] = cells.map((cell) =>
        cell.trim(),
      );
      const names = (text: string) => text.match(/\w+/g) ?? [];
      return {
        ...{ name: name.replaceAll('`', ''), type, meaning },
        ...{ labels: names(labels), services: names(services) },
      };
    });
}

/** The anchors of the sections of a document, as GitHub makes them. */
export function anchorsOf(file: string): string[] {
  return read(file)
    .split('\n')
    .flatMap((line) => /^#+ (.*)$/.exec(line)?.[1] ?? [])
    .map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
}
