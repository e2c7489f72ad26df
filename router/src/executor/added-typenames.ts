import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  type InlineFragmentNode,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { fragmentsIn, TYPENAME } from './documents.ts';

/**
 * Adds `__typename` where a plan would do without, and the result needs it. Returns the document itself where
 * there is nothing to add.
 *
 * - In fields all of whose own fields have conditions, or are in fragments on other types. The planner drops a
 *   field of which they leave nothing, as in `{ me @skip(if: $a) { name @include(if: $a) } }`: it would be null
 *   instead of an object without fields, and a mutation would not be executed.
 * - Beside fragments on an interface or union. The planner drops a fragment that always applies in the subgraph
 *   that it asks, where the field may be of an object type: nobody would know that its fields are selected.
 */
export function addTypenames(document: DocumentNode, schema: GraphQLSchema): DocumentNode {
  const fragments = fragmentsIn(document);
  // A fragment that is spread many times is read once: spreads of spreads would double the work each time.
  const known = new Map<string, boolean>();
  const isConditional = (selection: SelectionNode, type: GraphQLNamedType): boolean => {
    if (hasCondition(selection)) return true;
    if (selection.kind === Kind.FIELD) return false;
    if (selection.kind === Kind.INLINE_FRAGMENT) return isFragmentConditional(selection, type);
    const name = selection.name.value;
    const key = `${name} ${type.name}`;
    const fragment = fragments.get(name);
    const result = known.get(key) ?? (fragment ? isFragmentConditional(fragment, type) : false);
    known.set(key, result);
    return result;
  };
  const isFragmentConditional = (
    { typeCondition, selectionSet }: InlineFragmentNode | FragmentDefinitionNode,
    type: GraphQLNamedType,
  ): boolean => {
    const condition = typeCondition ? schema.getType(typeCondition.name.value) : type;
    return !covers(condition, type, schema) || areAllConditional(selectionSet, type);
  };
  const areAllConditional = ({ selections }: SelectionSetNode, type: GraphQLNamedType): boolean =>
    selections.every((selection) => isConditional(selection, type));
  const types = new TypeInfo(schema);
  const needsTypename = (selectionSet: SelectionSetNode): boolean => {
    const type = getNamedType(types.getType());
    if (!type) return false;
    return (
      (hasFragment(selectionSet) && isAbstractType(type)) || areAllConditional(selectionSet, type)
    );
  };
  const leave = (field: FieldNode): FieldNode | undefined => {
    const { selectionSet } = field;
    if (!selectionSet || !needsTypename(selectionSet)) return undefined;
    const selections = [...selectionSet.selections, TYPENAME];
    return { ...field, selectionSet: { ...selectionSet, selections } };
  };
  return visit(document, visitWithTypeInfo(types, { Field: { leave } }));
}

/** Whether every object of the type has the other type, too. */
function covers(
  other: GraphQLNamedType | undefined,
  type: GraphQLNamedType,
  schema: GraphQLSchema,
): boolean {
  if (other === type) return true;
  return (
    isAbstractType(other) &&
    (isObjectType(type) || isInterfaceType(type)) &&
    schema.isSubType(other, type)
  );
}

function hasFragment({ selections }: SelectionSetNode): boolean {
  return selections.some(({ kind }) => kind !== Kind.FIELD);
}

function hasCondition({ directives = [] }: { directives?: readonly DirectiveNode[] }): boolean {
  return directives.some(({ name }) => name.value === 'include' || name.value === 'skip');
}
