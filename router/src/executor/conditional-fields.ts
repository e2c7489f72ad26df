import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { fragmentsIn, TYPENAME } from './documents.ts';

/**
 * Adds `__typename` to fields all of whose own fields have conditions. The planner drops a field of which the
 * conditions leave nothing, as in `{ me @skip(if: $a) { name @include(if: $a) } }`: it would be null instead
 * of an object without fields. Returns the document itself where there is nothing to add.
 */
export function keepConditionalFields(document: DocumentNode): DocumentNode {
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
  const leave = (field: FieldNode): FieldNode | undefined => {
    const { selectionSet } = field;
    if (!selectionSet || !areAllConditional(selectionSet)) return undefined;
    const selections = [...selectionSet.selections, TYPENAME];
    return { ...field, selectionSet: { ...selectionSet, selections } };
  };
  return visit(document, { Field: { leave } });
}

function hasCondition({ directives = [] }: { directives?: readonly DirectiveNode[] }): boolean {
  return directives.some(({ name }) => name.value === 'include' || name.value === 'skip');
}
