import {
  type DocumentNode,
  type FieldNode,
  Kind,
  parse,
  print,
  type SelectionNode,
  visit,
} from 'graphql';

/** One change that makes a document smaller; undefined when there is no `n`-th one. */
type Reduction = (document: DocumentNode, n: number) => DocumentNode | undefined;

/**
 * Removes selections, fragments, conditions, aliases and arguments from a document as long as `fails` is
 * true for the rest, and returns the smallest document found.
 */
export async function reduceDocument(
  document: DocumentNode,
  fails: (document: DocumentNode) => Promise<boolean>,
): Promise<DocumentNode> {
  let smallest = document;
  let hasChanged = true;
  while (hasChanged) {
    hasChanged = false;
    for (const reduce of REDUCTIONS) {
      let n = 0;
      let next = reduce(smallest, n);
      while (next) {
        // Parsed anew, because plans are cached by the text of a document.
        const candidate = parse(print(withoutUnused(next)));
        if (await fails(candidate)) {
          smallest = candidate;
          hasChanged = true;
        } else n += 1;
        next = reduce(smallest, n);
      }
    }
  }
  return smallest;
}

/** Replaces the `n`-th selection for which `replace` has something. */
function changeSelection(
  document: DocumentNode,
  n: number,
  replace: (selection: SelectionNode, document: DocumentNode) => readonly SelectionNode[] | null,
): DocumentNode | undefined {
  let at = 0;
  let hasChanged = false;
  const changed = visit(document, {
    SelectionSet(set) {
      if (hasChanged) return false;
      for (const [index, selection] of set.selections.entries()) {
        const replacement = replace(selection, document);
        if (!replacement) continue;
        if (replacement.length === 0 && set.selections.length === 1) continue;
        if (at === n) {
          hasChanged = true;
          return { ...set, selections: set.selections.toSpliced(index, 1, ...replacement) };
        }
        at += 1;
      }
      return undefined;
    },
  });
  return hasChanged ? changed : undefined;
}

const isField = ({ kind }: SelectionNode) => kind === Kind.FIELD;

const REDUCTIONS: readonly Reduction[] = [
  (document, n) => changeSelection(document, n, () => []),
  (document, n) =>
    changeSelection(document, n, (selection) =>
      selection.directives?.length ? [{ ...selection, directives: [] }] : null,
    ),
  (document, n) =>
    changeSelection(document, n, (selection) =>
      selection.kind === Kind.INLINE_FRAGMENT && !selection.directives?.length
        ? selection.selectionSet.selections
        : null,
    ),
  (document, n) =>
    changeSelection(document, n, (selection, { definitions }) => {
      if (selection.kind !== Kind.FRAGMENT_SPREAD) return null;
      const fragment = definitions.find(
        (each) =>
          each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === selection.name.value,
      );
      if (fragment?.kind !== Kind.FRAGMENT_DEFINITION) return null;
      const { typeCondition, selectionSet } = fragment;
      const { directives } = selection;
      return [{ kind: Kind.INLINE_FRAGMENT, typeCondition, directives, selectionSet }];
    }),
  (document, n) =>
    changeSelection(document, n, (selection) =>
      isField(selection) && (selection as FieldNode).alias
        ? [{ ...selection, alias: undefined } as FieldNode]
        : null,
    ),
  (document, n) =>
    changeSelection(document, n, (selection) =>
      isField(selection) && (selection as FieldNode).arguments?.length
        ? [{ ...selection, arguments: [] } as FieldNode]
        : null,
    ),
];

/** The document without fragments and variables that nothing uses. */
function withoutUnused(document: DocumentNode): DocumentNode {
  const spread = new Set<string>();
  visit(document, { FragmentSpread: ({ name }) => void spread.add(name.value) });
  const definitions = document.definitions.filter(
    (each) => each.kind !== Kind.FRAGMENT_DEFINITION || spread.has(each.name.value),
  );
  if (definitions.length < document.definitions.length) {
    return withoutUnused({ ...document, definitions });
  }
  const used = new Set<string>();
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void used.add(name.value),
  });
  return visit(document, {
    VariableDefinition: ({ variable }) => (used.has(variable.name.value) ? undefined : null),
  });
}
