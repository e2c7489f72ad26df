import {
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { argumentsText } from './documents.ts';
import { readRequires } from './join-directives.ts';

/** A field that a plan fetches for `@requires`, with the arguments of that directive. */
export interface Requirement {
  /** The names of the fields that lead to it from the object of the requiring field, itself included. */
  path: readonly string[];
  /** The types of the objects that it may be a field of. */
  types: ReadonlySet<string>;
  arguments: string;
}

/**
 * For each field, as `Type.field`, what must be fetched for it, directly or for a required field: only what
 * another field requires with different arguments.
 */
export type Requirements = ReadonlyMap<string, readonly Requirement[]>;

/** Reads the `@requires` of a supergraph; `schema` has all of its types. */
export function readRequirements(supergraph: DocumentNode, schema: GraphQLSchema): Requirements {
  const sets = readSets(supergraph);
  const all = new Map([...sets.keys()].map((field) => [field, collect(field, sets, schema)]));
  const contested = findContested([...all.values()].flat());
  const requirements = new Map<string, readonly Requirement[]>();
  for (const [field, required] of all) {
    const relevant = required.filter((each) => fieldsOf(each).some((name) => contested.has(name)));
    if (relevant.length > 0) requirements.set(field, relevant);
  }
  return requirements;
}

/** The names of the types that an object of this type can have. */
export function possibleTypes(
  type: GraphQLNamedType | null | undefined,
  schema: GraphQLSchema,
): string[] {
  if (isAbstractType(type)) return schema.getPossibleTypes(type).map(({ name }) => name);
  return type ? [type.name] : [];
}

/** With the type itself: interface objects have fields of an interface. */
export function withPossibleTypes(
  type: GraphQLNamedType | null | undefined,
  schema: GraphQLSchema,
): ReadonlySet<string> {
  return new Set(type ? [type.name, ...possibleTypes(type, schema)] : []);
}

/** The named type of a field; undefined where the type has no such field. */
export function typeOfField(
  type: GraphQLNamedType | undefined,
  field: string,
): GraphQLNamedType | undefined {
  if (!isObjectType(type) && !isInterfaceType(type)) return undefined;
  return getNamedType(type.getFields()[field]?.type);
}

/** The sets of fields in the `@requires` of each field, one for each subgraph that has the field. */
function readSets(supergraph: DocumentNode): Map<string, SelectionSetNode[]> {
  const sets = new Map<string, SelectionSetNode[]>();
  for (const { type, field, fields } of readRequires(supergraph)) {
    const coordinate = `${type}.${field}`;
    sets.set(coordinate, [...(sets.get(coordinate) ?? []), fields]);
  }
  return sets;
}

/** What a field requires, and what the required fields require. */
function collect(
  field: string,
  sets: ReadonlyMap<string, SelectionSetNode[]>,
  schema: GraphQLSchema,
): Requirement[] {
  const found: Requirement[] = [];
  // Fields may require each other, each of another subgraph.
  const visiting = new Set<string>();

  function addRequired(name: string, type: string, path: readonly string[]): void {
    const coordinate = `${type}.${name}`;
    if (visiting.has(coordinate)) return;
    visiting.add(coordinate);
    for (const set of sets.get(coordinate) ?? []) addSet(set, schema.getType(type), path);
    visiting.delete(coordinate);
  }

  function addSet(
    { selections }: SelectionSetNode,
    type: GraphQLNamedType | undefined,
    path: readonly string[],
  ): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) continue;
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition?.name.value;
        addSet(selection.selectionSet, condition ? schema.getType(condition) : type, path);
        continue;
      }
      const name = selection.name.value;
      const types = new Set(possibleTypes(type, schema));
      const inner = [...path, name];
      found.push({ path: inner, types, arguments: argumentsText(selection) });
      for (const each of withPossibleTypes(type, schema)) addRequired(name, each, path);
      if (!selection.selectionSet) continue;
      addSet(selection.selectionSet, typeOfField(type, name), inner);
    }
  }

  const [type = '', name = ''] = field.split('.');
  addRequired(name, type, []);
  return found;
}

/** The fields that are required with different arguments. */
function findContested(all: readonly Requirement[]): Set<string> {
  const known = new Map<string, string>();
  const contested = new Set<string>();
  for (const requirement of all) {
    for (const field of fieldsOf(requirement)) {
      const args = known.get(field);
      if (args === undefined) known.set(field, requirement.arguments);
      else if (args !== requirement.arguments) contested.add(field);
    }
  }
  return contested;
}

function fieldsOf({ path, types }: Requirement): string[] {
  return [...types].map((type) => `${type}.${path.at(-1)}`);
}
