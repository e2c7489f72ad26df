import {
  type DocumentNode,
  type FieldNode,
  Kind,
  parse,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';

/** The names under which the planner may select fields of its own, beside those of the client. */
export interface PlannerNames {
  /** Fields in keys and in inputs of `@requires`, and `__typename`. */
  selected: ReadonlySet<string>;
  /** Those that an input of `@requires` selects with arguments. */
  withArguments: ReadonlySet<string>;
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
export function readPlannerNames(supergraphSdl: string): PlannerNames {
  const selected = new Set(['__typename']);
  const withArguments = new Set<string>();
  visit(parse(supergraphSdl, { noLocation: true }), {
    Directive({ name, arguments: args = [] }) {
      if (name.value !== 'join__type' && name.value !== 'join__field') return;
      for (const { name: argument, value } of args) {
        const isFieldSet = argument.value === 'key' || argument.value === 'requires';
        if (!isFieldSet || value.kind !== Kind.STRING) continue;
        visit(parse(`{ ${value.value} }`, { noLocation: true }), {
          Field(field) {
            selected.add(field.name.value);
            if (field.arguments?.length) withArguments.add(field.name.value);
          },
        });
      }
    },
  });
  return { selected, withArguments };
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
  let used: ReadonlySet<string> | undefined;

  function toPlannedName(responseName: string, field: string): string {
    const key = `${responseName} ${field}`;
    const known = planned.get(key);
    if (known) return known;
    used ??= namesIn(document);
    const name = unusedName(`client_${responseName}_${field}`, used);
    planned.set(key, name);
    clientNames.set(name, responseName);
    return name;
  }

  function toField(field: FieldNode): FieldNode {
    const { alias, name, selectionSet } = field;
    const isSchema = name.value === '__schema' || name.value === '__type';
    // The schema is read without a plan.
    const set = selectionSet && !isSchema ? toSet(selectionSet) : selectionSet;
    const renamed = isTaken(field, names)
      ? toPlannedName(alias?.value ?? name.value, name.value)
      : undefined;
    if (renamed === undefined && set === selectionSet) return field;
    return {
      ...field,
      ...(renamed !== undefined && { alias: { kind: Kind.NAME, value: renamed } }),
      ...(set && { selectionSet: set }),
    };
  }

  function toSelection(selection: SelectionNode): SelectionNode {
    if (selection.kind === Kind.FIELD) return toField(selection);
    if (selection.kind === Kind.FRAGMENT_SPREAD) return selection;
    const selectionSet = toSet(selection.selectionSet);
    return selectionSet === selection.selectionSet ? selection : { ...selection, selectionSet };
  }

  function toSet(set: SelectionSetNode): SelectionSetNode {
    const selections = set.selections.map(toSelection);
    const isSame = selections.every((selection, index) => selection === set.selections[index]);
    return isSame ? set : { ...set, selections };
  }

  const definitions = document.definitions.map((definition) =>
    'selectionSet' in definition
      ? { ...definition, selectionSet: toSet(definition.selectionSet) }
      : definition,
  );
  const withNames = clientNames.size === 0 ? document : { ...document, definitions };
  return { clientNames, ...renameRepresentations(withNames) };
}

/** Whether the planner may select something else under the field's response name. */
function isTaken(
  { alias, name, arguments: args = [] }: FieldNode,
  { selected, withArguments }: PlannerNames,
): boolean {
  const responseName = alias?.value ?? name.value;
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
