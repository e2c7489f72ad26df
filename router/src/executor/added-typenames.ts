import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
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
 * - In fields all of whose own fields have conditions. The planner drops a field of which the conditions
 *   leave nothing, as in `{ me @skip(if: $a) { name @include(if: $a) } }`: it would be null instead of an
 *   object without fields.
 * - Beside fragments on an interface or union. The planner drops a fragment that always applies in the subgraph
 *   that it asks, where the field may be of an object type: nobody would know that its fields are selected.
 */
export function addTypenames(document: DocumentNode, schema: GraphQLSchema): DocumentNode {
  const fragments = fragmentsIn(document);
  // A fragment that is spread many times is read once: spreads of spreads would double the work each time.
  const known = new Map<string, boolean>();
  const isConditional = (selection: SelectionNode): boolean => {
    if (hasCondition(selection)) return true;
    if (selection.kind === Kind.FIELD) return false;
    if (selection.kind === Kind.INLINE_FRAGMENT) return areAllConditional(selection.selectionSet);
    const name = selection.name.value;
    const fragment = fragments.get(name);
    const result = known.get(name) ?? (fragment ? areAllConditional(fragment.selectionSet) : false);
    known.set(name, result);
    return result;
  };
  const areAllConditional = ({ selections }: SelectionSetNode): boolean =>
    selections.every(isConditional);
  const types = new TypeInfo(schema);
  const needsTypename = (selectionSet: SelectionSetNode): boolean =>
    areAllConditional(selectionSet) ||
    (hasFragment(selectionSet) && isAbstractType(getNamedType(types.getType())));
  const leave = (field: FieldNode): FieldNode | undefined => {
    const { selectionSet } = field;
    if (!selectionSet || !needsTypename(selectionSet)) return undefined;
    const selections = [...selectionSet.selections, TYPENAME];
    return { ...field, selectionSet: { ...selectionSet, selections } };
  };
  return visit(document, visitWithTypeInfo(types, { Field: { leave } }));
}

function hasFragment({ selections }: SelectionSetNode): boolean {
  return selections.some(({ kind }) => kind !== Kind.FIELD);
}

function hasCondition({ directives = [] }: { directives?: readonly DirectiveNode[] }): boolean {
  return directives.some(({ name }) => name.value === 'include' || name.value === 'skip');
}
