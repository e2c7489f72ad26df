import {
  type ConstDirectiveNode,
  type DirectiveNode,
  type DocumentNode,
  type InterfaceTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { findArgument } from './documents.ts';

// What a supergraph says of its subgraphs: join specification, version 0.3 and later.

/** A key of a type in one subgraph. */
export interface Key {
  /** The subgraph, by its name in the enum `join__Graph`. */
  graph: string;
  fields: SelectionSetNode;
  isResolvable: boolean;
}

/** The `@requires` of a field in one subgraph. */
export interface Requires {
  graph: string;
  type: string;
  field: string;
  fields: SelectionSetNode;
}

/** Reads the directive of a type; undefined when it is about no key. */
export function readKey(directive: ConstDirectiveNode): Key | undefined {
  if (directive.name.value !== 'join__type') return undefined;
  const fields = parseFieldSet(directive, 'key');
  const graph = readGraph(directive);
  if (!fields || graph === undefined) return undefined;
  const resolvable = findArgument(directive, 'resolvable');
  return { graph, fields, isResolvable: !(resolvable?.kind === Kind.BOOLEAN && !resolvable.value) };
}

/** Reads the `@requires` of all fields. */
export function readRequires(supergraph: DocumentNode): Requires[] {
  const found: Requires[] = [];
  const readType = (type: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode): void => {
    for (const { name, directives = [] } of type.fields ?? []) {
      for (const directive of directives) {
        if (directive.name.value !== 'join__field') continue;
        const fields = parseFieldSet(directive, 'requires');
        const graph = readGraph(directive);
        if (!fields || graph === undefined) continue;
        found.push({ graph, type: type.name.value, field: name.value, fields });
      }
    }
  };
  visit(supergraph, { ObjectTypeDefinition: readType, InterfaceTypeDefinition: readType });
  return found;
}

/** The subgraphs' names by those of the enum `join__Graph`. */
export function readSubgraphNames(supergraph: DocumentNode): Map<string, string> {
  const names = new Map<string, string>();
  visit(supergraph, {
    EnumValueDefinition({ name, directives = [] }) {
      const directive = directives.find((each) => each.name.value === 'join__graph');
      const subgraph = directive && findArgument(directive, 'name');
      if (subgraph?.kind === Kind.STRING) names.set(name.value, subgraph.value);
    },
  });
  return names;
}

/** The fields in an argument of type FieldSet, such as `key` and `requires`; undefined without it. */
export function parseFieldSet(
  directive: DirectiveNode,
  argument: string,
): SelectionSetNode | undefined {
  const value = findArgument(directive, argument);
  if (value?.kind !== Kind.STRING) return undefined;
  const [definition] = parse(`{ ${value.value} }`, { noLocation: true }).definitions;
  return definition?.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet : undefined;
}

function readGraph(directive: ConstDirectiveNode): string | undefined {
  const graph = findArgument(directive, 'graph');
  return graph?.kind === Kind.ENUM ? graph.value : undefined;
}
