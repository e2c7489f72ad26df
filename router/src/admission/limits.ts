import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { RequestErrors, withCode } from './refusals.ts';

/** How large an operation may be, by its text alone. */
export interface OperationLimits {
  depth: number;
  aliases: number;
  directives: number;
  rootFields: number;
  /** Also fragments and their spreads: it is as long as planning it takes. */
  selections: number;
  /** Of the whole document. */
  tokens: number;
}

/** An operation's measures; what a fragment holds counts wherever it is spread. */
export type Measures = Omit<OperationLimits, 'tokens'>;

const NOTHING: Measures = { depth: 0, aliases: 0, directives: 0, rootFields: 0, selections: 0 };

/**
 * Holds a parsed document to the limits, in one walk that takes time by its length alone, whatever its
 * fragments multiply to. This comes before validation, which takes time by the square of repetitions,
 * and overflows the stack on fragments in cycles. Returns each operation's measures.
 */
export function holdToLimits(
  document: DocumentNode,
  limits: OperationLimits,
): Map<OperationDefinitionNode, Measures> {
  const measured = measure(document);
  for (const [operation, measures] of measured) {
    const errors = RULES.filter(({ of }) => measures[of] > limits[of]).map(({ of, code, says }) => {
      const subject = operation.name ? `The operation "${operation.name.value}"` : 'The operation';
      const message = `${subject} ${says(shown(measures[of]))}; ${shown(limits[of])} are allowed.`;
      return withCode(new GraphQLError(message, { nodes: operation }), code);
    });
    if (errors.length > 0) throw new RequestErrors(errors);
  }
  return measured;
}

const RULES: { of: keyof Measures; code: string; says: (count: string) => string }[] = [
  {
    of: 'depth',
    code: 'OPERATION_TOO_DEEP',
    says: (count) => `is ${count} levels of fields deep`,
  },
  {
    of: 'aliases',
    code: 'TOO_MANY_ALIASES',
    says: (count) => `has ${count} aliases and repeated fields`,
  },
  {
    of: 'directives',
    code: 'TOO_MANY_DIRECTIVES',
    says: (count) => `has ${count} directives`,
  },
  {
    of: 'rootFields',
    code: 'TOO_MANY_ROOT_FIELDS',
    says: (count) => `has ${count} root fields`,
  },
  {
    of: 'selections',
    code: 'TOO_MANY_SELECTIONS',
    says: (count) => `selects ${count} fields and fragments`,
  },
];

/** Fragments of fragments multiply to numbers that nobody wants to read. */
function shown(count: number): string {
  return count > 1_000_000 ? 'more than a million' : String(count);
}

/** Throws GRAPHQL_VALIDATION_FAILED for fragments in cycles. */
function measure(document: DocumentNode): Map<OperationDefinitionNode, Measures> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  /** Null: is being measured. */
  const known = new Map<FragmentDefinitionNode, Measures | null>();

  function ofFragment(name: string): Measures {
    const fragment = fragments.get(name);
    // That there is none is for validation to say.
    if (!fragment) return NOTHING;
    const measured = known.get(fragment);
    if (measured) return measured;
    if (measured === null) {
      const error = new GraphQLError(`Cannot spread fragment "${name}" within itself.`, {
        nodes: fragment,
      });
      throw new RequestErrors([withCode(error, 'GRAPHQL_VALIDATION_FAILED')]);
    }
    known.set(fragment, null);
    const inner = ofSelections(fragment.selectionSet);
    const directives = inner.directives + (fragment.directives?.length ?? 0);
    const all = { ...inner, directives };
    known.set(fragment, all);
    return all;
  }

  function ofSelections({ selections }: SelectionSetNode): Measures {
    const names = new Set<string>();
    const sum = { ...NOTHING };
    for (const selection of selections) {
      sum.directives += selection.directives?.length ?? 0;
      sum.selections += 1;
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        // Repeated fields do no harm to subgraphs, but validation compares each with each.
        if (selection.alias || names.has(name)) sum.aliases += 1;
        names.add(name);
        sum.rootFields += 1;
        const inner = selection.selectionSet ? ofSelections(selection.selectionSet) : NOTHING;
        sum.depth = Math.max(sum.depth, inner.depth + 1);
        sum.aliases += inner.aliases;
        sum.directives += inner.directives;
        sum.selections += inner.selections;
      } else {
        const inner =
          selection.kind === Kind.FRAGMENT_SPREAD
            ? ofFragment(selection.name.value)
            : ofSelections(selection.selectionSet);
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
      const inner = ofSelections(definition.selectionSet);
      const own = [definition, ...(definition.variableDefinitions ?? [])]
        .map(({ directives }) => directives?.length ?? 0)
        .reduce((sum, count) => sum + count, 0);
      measured.set(definition, { ...inner, directives: inner.directives + own });
    }
    // Unused ones are validated as well.
    if (definition.kind === Kind.FRAGMENT_DEFINITION) ofFragment(definition.name.value);
  }
  return measured;
}
