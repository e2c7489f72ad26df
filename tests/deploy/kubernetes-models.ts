import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as all from '@kubernetes/client-node/dist/gen/models/all.js';
import type { KubernetesObject } from './kubernetes-object.ts';

interface Model {
  getAttributeTypeMap(): { baseName: string; type: string }[];
}

/** A type of a custom resource: its fields by name, `?` at the end of a field that may be absent. */
type CustomModel = Record<string, string>;

const models = all as unknown as Record<string, Model>;
const folder = dirname(
  createRequire(import.meta.url).resolve('@kubernetes/client-node/dist/gen/models/all.js'),
);

/** What the chart uses of two custom resources, by their definitions (Gateway API 1.4, Prometheus operator 0.86). */
const customModels: Record<string, CustomModel> = {
  HTTPRoute: {
    apiVersion: 'string',
    kind: 'string',
    metadata: 'V1ObjectMeta',
    spec: 'HTTPRouteSpec',
  },
  HTTPRouteSpec: {
    parentRefs: 'Array<ParentReference>',
    'hostnames?': 'Array<string>',
    rules: 'Array<HTTPRouteRule>',
  },
  ParentReference: { name: 'string', 'namespace?': 'string', 'sectionName?': 'string' },
  HTTPRouteRule: {
    'matches?': 'Array<HTTPRouteMatch>',
    'timeouts?': 'HTTPRouteTimeouts',
    backendRefs: 'Array<HTTPBackendRef>',
  },
  HTTPRouteMatch: { path: 'HTTPPathMatch' },
  HTTPPathMatch: { type: 'string', value: 'string' },
  HTTPRouteTimeouts: { request: 'string', backendRequest: 'string' },
  HTTPBackendRef: { name: 'string', port: 'number' },
  ServiceMonitor: {
    apiVersion: 'string',
    kind: 'string',
    metadata: 'V1ObjectMeta',
    spec: 'ServiceMonitorSpec',
  },
  ServiceMonitorSpec: {
    selector: 'V1LabelSelector',
    'jobLabel?': 'string',
    'targetLabels?': 'Array<string>',
    endpoints: 'Array<Endpoint>',
  },
  Endpoint: {
    port: 'string',
    path: 'string',
    interval: 'string',
    'honorLabels?': 'boolean',
    authorization: 'SafeAuthorization',
  },
  SafeAuthorization: { type: 'string', credentials: 'V1SecretKeySelector' },
};

/**
 * One sentence for each field of the object that Kubernetes 1.34 does not know, that has another type there,
 * or that is missing and required. What 1.34 knows 1.35 knows too: no release of these models is of 1.35, and
 * those of 1.36 would let newer fields pass.
 */
export function modelProblems(object: KubernetesObject): string[] {
  const { apiVersion, kind, metadata } = object;
  const version = apiVersion.split('/').at(-1) ?? '';
  const type =
    kind in customModels ? kind : `${version[0]?.toUpperCase()}${version.slice(1)}${kind}`;
  const path = `${kind} ${metadata.name}`;
  if (!fieldsOf(type)) return [`${path}: Kubernetes has no ${kind} in ${apiVersion}.`];
  return problemsOf(object, type, path);
}

function problemsOf(value: unknown, type: string, path: string): string[] {
  const element = /^(?:Array|Set)<(.+)>$/.exec(type)?.[1];
  if (element) {
    if (!Array.isArray(value)) return [`${path} is not a list.`];
    return value.flatMap((each, index) => problemsOf(each, element, `${path}[${index}]`));
  }
  const entry = /^\{ \[key: string\]: (.+?);? \}$/.exec(type)?.[1];
  if (entry) {
    if (!isRecord(value)) return [`${path} is not a map.`];
    return Object.entries(value).flatMap(([key, each]) =>
      problemsOf(each, entry, `${path}.${key}`),
    );
  }
  const fields = fieldsOf(type);
  if (fields)
    return isRecord(value) ? fieldProblems(value, fields, path) : [`${path} is not a map.`];
  return isOfType(value, type) ? [] : [`${path} is not of the type ${type}.`];
}

function fieldProblems(value: Record<string, unknown>, fields: Fields, path: string): string[] {
  const missing = [...fields]
    .filter(([name, { isRequired }]) => isRequired && !(name in value))
    .map(([name]) => `${path} has no ${name}.`);
  const wrong = Object.entries(value).flatMap(([name, each]) => {
    const field = fields.get(name);
    return field
      ? problemsOf(each, field.type, `${path}.${name}`)
      : [`${path} has a field ${name}, which Kubernetes does not know.`];
  });
  return [...missing, ...wrong];
}

type Fields = Map<string, { type: string; isRequired: boolean }>;
const known = new Map<string, Fields | undefined>();

function fieldsOf(type: string): Fields | undefined {
  if (!known.has(type)) known.set(type, readFields(type));
  return known.get(type);
}

function readFields(type: string): Fields | undefined {
  const custom = customModels[type];
  if (custom) {
    return new Map(
      Object.entries(custom).map(([name, each]) => [
        name.replace(/\?$/, ''),
        { type: each, isRequired: !name.endsWith('?') },
      ]),
    );
  }
  const model = models[type];
  if (!model || typeof model.getAttributeTypeMap !== 'function') return undefined;
  // Only the declarations say which fields are required.
  const declaration = readFileSync(join(folder, `${type}.d.ts`), 'utf8');
  const required = new Set([...declaration.matchAll(/^ +'(\w+)': /gm)].map(([, name]) => name));
  return new Map(
    model
      .getAttributeTypeMap()
      .map(({ baseName, type: each }) => [
        baseName,
        { type: each, isRequired: required.has(baseName) },
      ]),
  );
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'any') return true;
  if (type === 'IntOrString') return typeof value === 'string' || Number.isInteger(value);
  if (type === 'Date') return typeof value === 'string';
  return ['string', 'number', 'boolean'].includes(type) && typeof value === type;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
