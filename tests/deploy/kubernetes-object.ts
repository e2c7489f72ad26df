/** An object as it is sent to Kubernetes, before it is known to be sound. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: validated against Kubernetes' models by a test
  [field: string]: any;
}

/** The only object of the kind and name. Throws when there is none, or more than one. */
export function find(objects: readonly KubernetesObject[], kind: string, name: string) {
  const found = objects.filter((each) => each.kind === kind && each.metadata.name === name);
  if (found.length !== 1) throw new Error(`There are ${found.length} of ${kind} ${name}.`);
  return found[0] as KubernetesObject;
}

/** All objects of the kinds. */
export const ofKind = (objects: readonly KubernetesObject[], ...kinds: string[]) =>
  objects.filter(({ kind }) => kinds.includes(kind));
