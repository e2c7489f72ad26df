import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  type InterfaceTypeDefinitionNode,
  isAbstractType,
  Kind,
  type ObjectTypeDefinitionNode,
  OperationTypeNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { fragmentsIn, parseFieldSet, TYPENAME } from './documents.ts';

/** Fields, as `Type.field`, and those of the same type that must not stand in one plan with them. */
export type Conflicts = ReadonlyMap<string, ReadonlySet<string>>;

/** Reads the fields of a type whose `@requires` need one field with different arguments. */
export function readConflicts(supergraph: DocumentNode): Conflicts {
  const conflicts = new Map<string, Set<string>>();
  const readType = (type: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode): void => {
    const requirements = (type.fields ?? []).map(({ name, directives }) => ({
      coordinate: `${type.name.value}.${name.value}`,
      required: readRequired(directives),
    }));
    for (const { coordinate, required } of requirements) {
      const others = requirements.filter((other) => differ(required, other.required));
      if (others.length > 0)
        conflicts.set(coordinate, new Set(others.map((other) => other.coordinate)));
    }
  };
  visit(supergraph, { ObjectTypeDefinition: readType, InterfaceTypeDefinition: readType });
  return conflicts;
}

/** Whether both have a field whose arguments are not the same. */
function differ(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return [...one].some(([path, args]) => (other.get(path) ?? args) !== args);
}

/** The arguments of each field in `@requires`, by its path. */
function readRequired(directives: readonly ConstDirectiveNode[] = []): Map<string, string> {
  const required = new Map<string, string>();
  const read = (set: SelectionSetNode, path: string): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) continue;
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        read(selection.selectionSet, path);
        continue;
      }
      const at = `${path}.${selection.name.value}`;
      required.set(at, (selection.arguments ?? []).map(print).sort().join());
      if (selection.selectionSet) read(selection.selectionSet, at);
    }
  };
  for (const directive of directives) {
    const set = directive.name.value === 'join__field' && parseFieldSet(directive, 'requires');
    if (set) read(set, '');
  }
  return required;
}

/**
 * Splits the operations of a document so that no part has two conflicting fields: the planner would fetch
 * what they require once, with the arguments of one of them. The first part has everything that conflicts
 * with nothing, the others have the paths to their fields. Throws a GraphQLError for a mutation, whose parts
 * would be executed twice, and for conflicting fields below one another.
 */
export function splitConflicts(
  document: DocumentNode,
  schema: GraphQLSchema,
  conflicts: Conflicts,
): [DocumentNode, ...DocumentNode[]] {
  if (conflicts.size === 0) return [document];
  const groups = groupFields(document, schema, conflicts);
  const count = Math.max(0, ...groups.values()) + 1;
  if (count === 1) return [document];
  const [field] = groups.keys();
  const isQuery = document.definitions.every(
    (each) => each.kind !== Kind.OPERATION_DEFINITION || each.operation === OperationTypeNode.QUERY,
  );
  if (!isQuery && field) throw inseparable(field, 'outside of queries');
  const others = Array.from({ length: count - 1 }, (_, index) => index + 1);
  return [
    selectPart(document, groups, 0),
    ...others.map((part) => selectPart(document, groups, part)),
  ];
}

/** The part of each field that conflicts with another one in the document. */
function groupFields(
  document: DocumentNode,
  schema: GraphQLSchema,
  conflicts: Conflicts,
): Map<FieldNode, number> {
  const byCoordinate = new Map<string, number>();
  const groups = new Map<FieldNode, number>();
  const types = new TypeInfo(schema);
  const toGroup = (coordinates: readonly string[]): number => {
    const known = coordinates.map((each) => byCoordinate.get(each)).find(isNumber);
    if (known !== undefined) return known;
    const others = coordinates.flatMap((each) => [...(conflicts.get(each) ?? [])]);
    const occupied = new Set(others.map((each) => byCoordinate.get(each)));
    let group = 0;
    while (occupied.has(group)) group += 1;
    return group;
  };
  const Field = (field: FieldNode): void => {
    const parent = types.getParentType();
    if (!parent) return;
    const possible = isAbstractType(parent) ? schema.getPossibleTypes(parent) : [];
    const coordinates = [parent, ...possible]
      .map((type) => `${type.name}.${field.name.value}`)
      .filter((coordinate) => conflicts.has(coordinate));
    if (coordinates.length === 0) return;
    const group = toGroup(coordinates);
    for (const each of coordinates) byCoordinate.set(each, group);
    groups.set(field, group);
  };
  visit(document, visitWithTypeInfo(types, { Field }));
  return groups;
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined;
}

/** The operations of the document with the fields of one part, fragments written out. */
function selectPart(
  document: DocumentNode,
  groups: ReadonlyMap<FieldNode, number>,
  part: number,
): DocumentNode {
  const fragments = fragmentsIn(document);

  /** What stays of a selection; `owner` is the part of the conflicting field that it is below. */
  const select = (selection: SelectionNode, owner: number | undefined): SelectionNode | null => {
    if (selection.kind === Kind.FIELD) return selectField(selection, owner);
    const written =
      selection.kind === Kind.FRAGMENT_SPREAD
        ? (fragments.get(selection.name.value) as FragmentDefinitionNode)
        : selection;
    const selectionSet = selectSet(written.selectionSet, owner);
    const { typeCondition } = written;
    const { directives = [] } = selection;
    return selectionSet && { kind: Kind.INLINE_FRAGMENT, typeCondition, directives, selectionSet };
  };
  const selectField = (field: FieldNode, owner: number | undefined): FieldNode | null => {
    const own = groups.get(field);
    if (own !== undefined && owner !== undefined && own !== owner) {
      throw inseparable(field, 'below one another');
    }
    const isOfPart = (own ?? owner ?? 0) === part;
    if (!field.selectionSet) return isOfPart ? field : null;
    const inner = selectSet(field.selectionSet, own ?? owner);
    if (!inner && !isOfPart) return null;
    return { ...field, selectionSet: inner ?? { ...field.selectionSet, selections: [TYPENAME] } };
  };
  const selectSet = (set: SelectionSetNode, owner?: number): SelectionSetNode | null => {
    const selections = set.selections
      .map((each) => select(each, owner))
      .filter((each) => each !== null);
    return selections.length > 0 ? { ...set, selections } : null;
  };

  const operations = document.definitions
    .filter((each) => each.kind === Kind.OPERATION_DEFINITION)
    .map((each) => ({
      ...each,
      selectionSet: selectSet(each.selectionSet) ?? {
        ...each.selectionSet,
        selections: [TYPENAME],
      },
    }));
  return { kind: Kind.DOCUMENT, definitions: operations };
}

function inseparable({ name }: FieldNode, where: string): GraphQLError {
  return new GraphQLError(
    `"${name.value}" and another field require the same field with different arguments, which the router does not support ${where}: select them in separate operations.`,
    { extensions: { code: 'BAD_USER_INPUT' } },
  );
}
