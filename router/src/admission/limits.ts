import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { RequestErrors, withCode } from './refusals.ts';

/** How large an operation may be, measured in its text, without variables. */
export interface OperationLimits {
  depth: number;
  aliases: number;
  directives: number;
  rootFields: number;
  /** With fragments and spreads: the time that planning takes grows with it. */
  selections: number;
  /** Of the whole document. */
  tokens: number;
}

/** An operation's measures; the content of a fragment counts at each spread. */
export type Measures = Omit<OperationLimits, 'tokens'>;

const ZERO: Measures = { depth: 0, aliases: 0, directives: 0, rootFields: 0, selections: 0 };

/**
 * Checks a parsed document by the limits and returns each operation's measures. It takes linear time, even
 * where fragments multiply. It must run before validation, which takes quadratic time on repeated fields
 * and overflows the stack on cyclic fragments.
 */
export function checkLimits(
  document: DocumentNode,
  limits: OperationLimits,
): Map<OperationDefinitionNode, Measures> {
  const measured = measureOperations(document);
  for (const [operation, measures] of measured) {
    const errors = RULES.filter(({ measure }) => measures[measure] > limits[measure]).map(
      ({ measure, code, describe }) => {
        const subject = operation.name
          ? `The operation "${operation.name.value}"`
          : 'The operation';
        const message = `${subject} ${describe(toCountText(measures[measure]))}; ${toCountText(limits[measure])} are allowed.`;
        return withCode(new GraphQLError(message, { nodes: operation }), code);
      },
    );
    if (errors.length > 0) throw new RequestErrors(errors);
  }
  return measured;
}

const RULES: { measure: keyof Measures; code: string; describe: (count: string) => string }[] = [
  {
    measure: 'depth',
    code: 'OPERATION_TOO_DEEP',
    describe: (count) => `is ${count} levels of fields deep`,
  },
  {
    measure: 'aliases',
    code: 'TOO_MANY_ALIASES',
    describe: (count) => `has ${count} aliases and repeated fields`,
  },
  {
    measure: 'directives',
    code: 'TOO_MANY_DIRECTIVES',
    describe: (count) => `has ${count} directives`,
  },
  {
    measure: 'rootFields',
    code: 'TOO_MANY_ROOT_FIELDS',
    describe: (count) => `has ${count} root fields`,
  },
  {
    measure: 'selections',
    code: 'TOO_MANY_SELECTIONS',
    describe: (count) => `selects ${count} fields and fragments`,
  },
];

/** Nested fragments can multiply to numbers of hundreds of digits. */
function toCountText(count: number): string {
  return count > 1_000_000 ? 'more than a million' : String(count);
}

/** Throws GRAPHQL_VALIDATION_FAILED for fragments in cycles. */
function measureOperations(document: DocumentNode): Map<OperationDefinitionNode, Measures> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  /** Null while the fragment is being measured. */
  const measuredFragments = new Map<FragmentDefinitionNode, Measures | null>();

  function measureFragment(name: string): Measures {
    const fragment = fragments.get(name);
    // Validation reports unknown fragments.
    if (!fragment) return ZERO;
    const measured = measuredFragments.get(fragment);
    if (measured) return measured;
    if (measured === null) {
      const error = new GraphQLError(`Cannot spread fragment "${name}" within itself.`, {
        nodes: fragment,
      });
      throw new RequestErrors([withCode(error, 'GRAPHQL_VALIDATION_FAILED')]);
    }
    measuredFragments.set(fragment, null);
    const inner = measureSelections(fragment.selectionSet);
    const directives = inner.directives + (fragment.directives?.length ?? 0);
    const all = { ...inner, directives };
    measuredFragments.set(fragment, all);
    return all;
  }

  function measureSelections({ selections }: SelectionSetNode): Measures {
    const names = new Set<string>();
    const sum = { ...ZERO };
    for (const selection of selections) {
      sum.directives += selection.directives?.length ?? 0;
      sum.selections += 1;
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        // Repeated fields count too, because validation compares each pair of them.
        if (selection.alias || names.has(name)) sum.aliases += 1;
        names.add(name);
        sum.rootFields += 1;
        const inner = selection.selectionSet ? measureSelections(selection.selectionSet) : ZERO;
        sum.depth = Math.max(sum.depth, inner.depth + 1);
        sum.aliases += inner.aliases;
        sum.directives += inner.directives;
        sum.selections += inner.selections;
      } else {
        const inner =
          selection.kind === Kind.FRAGMENT_SPREAD
            ? measureFragment(selection.name.value)
            : measureSelections(selection.selectionSet);
        sum.depth = Math.max(sum.depth, inner.depth);
        sum.aliases += inner.aliases;
        sum.directives += inner.directives;
        sum.rootFields += inner.rootFields;
        sum.selections += inner.selections;
      }
    }
    return sum;
  }

  const measured = new Map<OperationDefinitionNode, Measures>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) {
      const inner = measureSelections(definition.selectionSet);
      const own = [definition, ...(definition.variableDefinitions ?? [])]
        .map(({ directives }) => directives?.length ?? 0)
        .reduce((sum, count) => sum + count, 0);
      measured.set(definition, { ...inner, directives: inner.directives + own });
    }
    // Unused fragments are validated as well.
    if (definition.kind === Kind.FRAGMENT_DEFINITION) measureFragment(definition.name.value);
  }
  return measured;
}
