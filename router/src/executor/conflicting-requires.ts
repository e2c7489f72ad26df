import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  type InlineFragmentNode,
  Kind,
  OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { fragmentsIn, TYPENAME } from './documents.ts';
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
 * Splits a document so that no part needs one field of an object with different arguments: the planner would
 * fetch it once, with the arguments of one of them. The first part has everything else. Throws a GraphQLError
 * for a mutation, whose parts would be executed twice.
 */
export function splitConflicts(
  document: DocumentNode,
  schema: GraphQLSchema,
  requirements: Requirements,
): [DocumentNode, ...DocumentNode[]] {
  if (requirements.size === 0) return [document];
  const written = writeOutFragments(document);
  const parts = assignParts(written, schema, requirements);
  const count = Math.max(0, ...parts.values()) + 1;
  if (count === 1) return [document];
  requireQuery(written, parts);
  const others = Array.from({ length: count - 1 }, (_, index) => index + 1);
  return [selectPart(written, parts, 0), ...others.map((part) => selectPart(written, parts, part))];
}

/** The operations of the document without named fragments: each field stands at one place of the response. */
function writeOutFragments(document: DocumentNode): DocumentNode {
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
  const operations = document.definitions
    .filter((each) => each.kind === Kind.OPERATION_DEFINITION)
    .map((each) => ({ ...each, selectionSet: writeSet(each.selectionSet) }));
  return { kind: Kind.DOCUMENT, definitions: operations };
}

/** Finds the first part for each field whose needs agree with those of the field, and of the fields above it. */
function assignParts(
  document: DocumentNode,
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
    path.push((field.alias ?? field.name).value);
    chain.push(own);
    if (own.size === 0) return;
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
  const OperationDefinition = (): void => {
    needs.length = 0;
  };
  visit(document, visitWithTypeInfo(types, { OperationDefinition, Field: { enter, leave } }));
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

/** The operations of the document with the fields of one part, and with those that lead to them. */
function selectPart(document: DocumentNode, parts: Parts, part: number): DocumentNode {
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
  return visit(document, {
    OperationDefinition: (operation) => {
      const { selectionSet } = operation;
      const selected = selectSet(selectionSet, 0) ?? { ...selectionSet, selections: [TYPENAME] };
      return { ...operation, selectionSet: selected };
    },
  });
}

/** Throws for an operation of another kind with fields that must be planned apart. */
function requireQuery({ definitions }: DocumentNode, parts: Parts): void {
  const isQuery = definitions.every(
    (each) => each.kind !== Kind.OPERATION_DEFINITION || each.operation === OperationTypeNode.QUERY,
  );
  if (isQuery) return;
  const [field] = [...parts].find(([, part]) => part > 0) ?? [];
  throw new GraphQLError(
    `"${field?.name.value}" and another field require the same field with different arguments, which the router does not support outside of queries: select them in separate operations.`,
    { extensions: { code: 'BAD_USER_INPUT' } },
  );
}
