import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type InlineFragmentNode,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { fragmentsIn, responseNameOf, TYPENAME } from './documents.ts';
import { unplannable } from './failures.ts';
import {
  possibleTypes,
  type Requirement,
  type Requirements,
  withPossibleTypes,
} from './requirements.ts';

/** The plan of each field that needs one of its own choice; the others go with the field that they are below. */
type Parts = ReadonlyMap<FieldNode, number>;

/** What one plan fetches for `@requires`, by the place in the response. */
type Needs = Map<string, Requirement[]>;

/**
 * Splits an operation of a document so that no part needs one field of an object with different arguments: the
 * planner would fetch it once, with the arguments of one of them. The first part has everything else. Throws a
 * GraphQLError for a mutation, whose parts would be executed twice, and for a field that needs both itself.
 */
export function splitConflicts(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  schema: GraphQLSchema,
  requirements: Requirements,
): [DocumentNode, ...DocumentNode[]] {
  if (requirements.size === 0) return [document];
  const written = { ...operation, selectionSet: writeOutFragments(document, operation) };
  const parts = assignParts(written, schema, requirements);
  const count = Math.max(0, ...parts.values()) + 1;
  if (count === 1) return [document];
  if (operation.operation !== OperationTypeNode.QUERY) {
    const [field] = [...parts].find(([, part]) => part > 0) ?? [];
    throw unplannable(
      `"${field?.name.value}" and another field require the same field with different arguments, which only queries may do. Select them in separate operations.`,
    );
  }
  const select = (_: unknown, part: number) => selectPart(written, parts, part);
  return Array.from({ length: count }, select) as [DocumentNode, ...DocumentNode[]];
}

/** The operation's selection set without named fragments: each field stands at one place of the response. */
function writeOutFragments(
  document: DocumentNode,
  { selectionSet }: OperationDefinitionNode,
): SelectionSetNode {
  const fragments = fragmentsIn(document);
  const writeSet = (set: SelectionSetNode): SelectionSetNode => ({
    ...set,
    selections: set.selections.map(write),
  });
  const write = (selection: SelectionNode): FieldNode | InlineFragmentNode => {
    if (selection.kind === Kind.FIELD) {
      const { selectionSet } = selection;
      return { ...selection, selectionSet: selectionSet && writeSet(selectionSet) };
    }
    const { directives = [] } = selection;
    const { typeCondition, selectionSet } =
      selection.kind === Kind.FRAGMENT_SPREAD
        ? (fragments.get(selection.name.value) as FragmentDefinitionNode)
        : selection;
    const kind = Kind.INLINE_FRAGMENT;
    return { kind, typeCondition, directives, selectionSet: writeSet(selectionSet) };
  };
  return writeSet(selectionSet);
}

/** Finds the first part for each field whose needs agree with those of the field, and of the fields above it. */
function assignParts(
  operation: OperationDefinitionNode,
  schema: GraphQLSchema,
  requirements: Requirements,
): Parts {
  const parts = new Map<FieldNode, number>();
  const needs: Needs[] = [];
  const types = new TypeInfo(schema);
  const path: string[] = [];
  /** The needs of the fields above, and of this one. */
  const chain: Needs[] = [];

  const needsOf = ({ name }: FieldNode, parents: ReadonlySet<string>): Needs => {
    const found: Needs = new Map();
    for (const parent of parents) {
      for (const requirement of requirements.get(`${parent}.${name.value}`) ?? []) {
        // Of the object itself only this type needs the field.
        const own = possibleTypes(schema.getType(parent), schema);
        const isOwn = requirement.path.length === 1;
        const types = isOwn ? new Set(own) : requirement.types;
        const place = [...path, ...requirement.path].join('.');
        found.set(place, [...(found.get(place) ?? []), { ...requirement, types }]);
      }
    }
    return found;
  };
  const enter = (field: FieldNode): void => {
    const own = needsOf(field, withPossibleTypes(types.getParentType(), schema));
    path.push(responseNameOf(field));
    chain.push(own);
    if (own.size === 0) return;
    if (disagree(own, own)) {
      throw unplannable(
        `"${field.name.value}" requires one field with different arguments, through other fields. Select these instead.`,
      );
    }
    let part = 0;
    while (chain.some((each) => disagree(each, needs[part]))) part += 1;
    needs[part] ??= new Map();
    for (const each of chain) addNeeds(needs[part] as Needs, each);
    parts.set(field, part);
  };
  const leave = (): void => {
    path.pop();
    chain.pop();
  };
  visit(operation, visitWithTypeInfo(types, { Field: { enter, leave } }));
  return parts;
}

/** Whether both need a field of the same object, with different arguments. */
function disagree(one: Needs, other: Needs | undefined): boolean {
  if (!other) return false;
  return [...one].some(([place, requirements]) =>
    requirements.some((requirement) =>
      other.get(place)?.some((each) => differs(requirement, each)),
    ),
  );
}

function differs(one: Requirement, other: Requirement): boolean {
  return one.arguments !== other.arguments && [...one.types].some((type) => other.types.has(type));
}

function addNeeds(all: Needs, added: Needs): void {
  for (const [place, requirements] of added) {
    all.set(place, [...(all.get(place) ?? []), ...requirements]);
  }
}

/** A document of the operation with the fields of one part, and with those that lead to them. */
function selectPart(operation: OperationDefinitionNode, parts: Parts, part: number): DocumentNode {
  /** `above` is the part of the field with a part of its own that the selection is below. */
  const select = (
    selection: SelectionNode,
    above: number,
  ): FieldNode | InlineFragmentNode | null => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return null;
    const own = selection.kind === Kind.FIELD ? parts.get(selection) : undefined;
    const owner = own ?? above;
    if (!selection.selectionSet) return owner === part ? selection : null;
    const inner = selectSet(selection.selectionSet, owner);
    if (inner) return { ...selection, selectionSet: inner };
    if (selection.kind === Kind.INLINE_FRAGMENT || owner !== part) return null;
    return { ...selection, selectionSet: { ...selection.selectionSet, selections: [TYPENAME] } };
  };
  const selectSet = (set: SelectionSetNode, above: number): SelectionSetNode | null => {
    const selections = set.selections
      .map((each) => select(each, above))
      .filter((each) => each !== null);
    return selections.length > 0 ? { ...set, selections } : null;
  };
  const { selectionSet } = operation;
  const selected = selectSet(selectionSet, 0) ?? { ...selectionSet, selections: [TYPENAME] };
  return { kind: Kind.DOCUMENT, definitions: [{ ...operation, selectionSet: selected }] };
}
