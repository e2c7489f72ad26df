import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/**
 * Adds `__typename` to fields all of whose own fields have conditions. The planner drops a field of which the
 * conditions leave nothing, as in `{ me @skip(if: $a) { name @include(if: $a) } }`: it would be null instead
 * of an object without fields. Returns the document itself where there is nothing to add.
 */
export function keepConditionalFields(document: DocumentNode): DocumentNode {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const each of document.definitions) {
    if (each.kind === Kind.FRAGMENT_DEFINITION) fragments.set(each.name.value, each);
  }
  const isConditional = (selection: SelectionNode): boolean => {
    if (hasCondition(selection)) return true;
    if (selection.kind === Kind.INLINE_FRAGMENT) return areAllConditional(selection.selectionSet);
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD && fragments.get(selection.name.value);
    return fragment ? areAllConditional(fragment.selectionSet) : false;
  };
  const areAllConditional = ({ selections }: SelectionSetNode): boolean =>
    selections.every(isConditional);
  const toSelection = (selection: SelectionNode): SelectionNode => {
    if (selection.kind === Kind.FRAGMENT_SPREAD || !selection.selectionSet) return selection;
    const selectionSet = toSet(selection.selectionSet);
    if (selection.kind === Kind.FIELD && areAllConditional(selection.selectionSet)) {
      const selections = [...selectionSet.selections, TYPENAME];
      return { ...selection, selectionSet: { ...selectionSet, selections } };
    }
    return selectionSet === selection.selectionSet ? selection : { ...selection, selectionSet };
  };
  const toSet = (set: SelectionSetNode): SelectionSetNode => {
    const selections = set.selections.map(toSelection);
    const isSame = selections.every((each, index) => each === set.selections[index]);
    return isSame ? set : { ...set, selections };
  };
  const definitions = document.definitions.map((each) => {
    if (!('selectionSet' in each)) return each;
    const selectionSet = toSet(each.selectionSet);
    return selectionSet === each.selectionSet ? each : { ...each, selectionSet };
  });
  const isSame = definitions.every((each, index) => each === document.definitions[index]);
  return isSame ? document : { ...document, definitions };
}

function hasCondition({ directives = [] }: { directives?: readonly DirectiveNode[] }): boolean {
  return directives.some(({ name }) => name.value === 'include' || name.value === 'skip');
}
