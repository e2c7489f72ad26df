import { type DirectiveNode, type DocumentNode, type FieldNode, Kind, visit } from 'graphql';
import { argumentsText, findArgument, responseNameOf } from './documents.ts';
import { parseFieldSet } from './join-directives.ts';

/** The names under which the planner may select fields of its own, beside those of the client. */
export interface PlannerNames {
  /** Fields in keys and in inputs of `@requires`, and `__typename`. */
  selected: ReadonlySet<string>;
  /** Those that an input of `@requires` selects with arguments. */
  withArguments: ReadonlySet<string>;
  /** Those in inputs of `@requires` that are in no key. */
  inputs: ReadonlySet<string>;
  /** Whether the planner may fetch a field of one type for all objects of an interface. */
  hasInterfaceObjects: boolean;
}

/** A client's document as it is planned, and the names in it that differ from the client's. */
export interface PlannedDocument {
  document: DocumentNode;
  /** The client's response name for each name that only the plan has. */
  clientNames: ReadonlyMap<string, string>;
  /** The client's variable for each variable that only the plan has. */
  clientVariables: ReadonlyMap<string, string>;
}

/** The variable of Apollo's fetches of entities. */
const REPRESENTATIONS = 'representations';

/** Reads the keys and the inputs of `@requires` of a supergraph: join specification, version 0.3 and later. */
export function readPlannerNames(supergraph: DocumentNode): PlannerNames {
  const selected = new Set(['__typename']);
  const withArguments = new Set<string>();
  let hasInterfaceObjects = false;
  const byArgument = { key: new Set<string>(), requires: new Set<string>() };
  visit(supergraph, {
    Directive(directive: DirectiveNode) {
      const { value: name } = directive.name;
      if (name !== 'join__type' && name !== 'join__field') return;
      hasInterfaceObjects ||= findArgument(directive, 'isInterfaceObject') !== undefined;
      for (const argument of ['key', 'requires'] as const) {
        const set = parseFieldSet(directive, argument);
        const Field = ({ name, arguments: args }: FieldNode): void => {
          selected.add(name.value);
          byArgument[argument].add(name.value);
          if (args?.length) withArguments.add(name.value);
        };
        if (set) visit(set, { Field });
      }
    },
  });
  const inputs = new Set([...byArgument.requires].filter((name) => !byArgument.key.has(name)));
  return { selected, withArguments, inputs, hasInterfaceObjects };
}

/**
 * Gives the client's fields other names in the plan where the planner may select another field, or the
 * same one with other arguments, under the name that the client chose. Plans merge results by response
 * name: `{ product { weight: price shipping } }`, whose `shipping` requires the weight, would compute with
 * the price. A variable `$representations` gets another name too. A document without such names is
 * returned as it is.
 */
export function toPlannedDocument(document: DocumentNode, names: PlannerNames): PlannedDocument {
  const clientNames = new Map<string, string>();
  const planned = new Map<string, string>();
  let used: Set<string> | undefined;

  const ambiguous = names.hasInterfaceObjects ? findAmbiguous(document) : NO_NAMES;

  function toPlannedName(node: FieldNode): string {
    const [responseName, field] = [responseNameOf(node), node.name.value];
    const key = `${responseName} ${signatureOf(node)}`;
    const known = planned.get(key);
    if (known) return known;
    used ??= namesIn(document);
    const name = unusedName(`client_${responseName}_${field}`, used);
    // The names of two pairs can be joined to the same one.
    used.add(name);
    planned.set(key, name);
    clientNames.set(name, responseName);
    return name;
  }

  // The schema is read without a plan, and its fields keep their names.
  let isInSchema = false;
  const withNames = visit(document, {
    Field: {
      enter(field) {
        if (isSchemaField(field)) isInSchema = true;
      },
      leave(field) {
        if (isSchemaField(field)) isInSchema = false;
        if (isInSchema) return undefined;
        if (!mayCollide(field, names) && !ambiguous.has(responseNameOf(field))) return undefined;
        return { ...field, alias: { kind: Kind.NAME, value: toPlannedName(field) } };
      },
    },
  });
  return { clientNames, ...renameRepresentations(withNames) };
}

function isSchemaField({ name }: FieldNode): boolean {
  return name.value === '__schema' || name.value === '__type';
}

const NO_NAMES: ReadonlySet<string> = new Set();

function signatureOf(field: FieldNode): string {
  return `${field.name.value}(${argumentsText(field)})`;
}

/**
 * Response names that stand for several fields, as in fragments on different types. A subgraph with an interface
 * object is asked for the field of one type without regard to the type: its values would replace those of the
 * others.
 */
function findAmbiguous(document: DocumentNode): ReadonlySet<string> {
  const signatures = new Map<string, string>();
  const ambiguous = new Set<string>();
  visit(document, {
    Field(field) {
      const name = responseNameOf(field);
      const signature = signatureOf(field);
      if ((signatures.get(name) ?? signature) !== signature) ambiguous.add(name);
      signatures.set(name, signature);
    },
  });
  return ambiguous;
}

/** Whether the planner may select something else under the field's response name. */
function mayCollide(field: FieldNode, { selected, withArguments }: PlannerNames): boolean {
  const { name, arguments: args = [] } = field;
  const responseName = responseNameOf(field);
  if (!selected.has(responseName)) return false;
  return responseName !== name.value || args.length > 0 || withArguments.has(name.value);
}

function renameRepresentations(
  document: DocumentNode,
): Pick<PlannedDocument, 'document' | 'clientVariables'> {
  const variables = new Set<string>();
  visit(document, { Variable: ({ name }) => void variables.add(name.value) });
  if (!variables.has(REPRESENTATIONS)) return { document, clientVariables: new Map() };
  const renamed = unusedName(`client_${REPRESENTATIONS}`, variables);
  return {
    document: visit(document, {
      Variable: (node) =>
        node.name.value === REPRESENTATIONS
          ? { ...node, name: { ...node.name, value: renamed } }
          : undefined,
    }),
    clientVariables: new Map([[renamed, REPRESENTATIONS]]),
  };
}

function namesIn(document: DocumentNode): Set<string> {
  const names = new Set<string>();
  visit(document, { Name: ({ value }) => void names.add(value) });
  return names;
}

function unusedName(name: string, used: ReadonlySet<string>): string {
  return used.has(name) ? unusedName(`${name}_`, used) : name;
}
