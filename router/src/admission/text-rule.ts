import { type DocumentNode, GraphQLError, visit } from 'graphql';
import { isText } from '#platform/graphql/text.ts';
import { RequestErrors, refusal, withCode } from './refusals.ts';

const MESSAGE = 'Text must be whole Unicode characters, and none of them NUL.';

/**
 * Throws BAD_USER_INPUT when a string in the variables is not valid text; `field` is the path to it. No
 * subgraph receives such a string, whatever field it is for.
 */
export function requireText(variables: Readonly<Record<string, unknown>>): void {
  // No recursion: a client chooses the depth, and could overflow the stack.
  const left: [value: unknown, path: string][] = Object.entries(variables).map(([name, value]) => [
    value,
    name,
  ]);
  for (let next = left.pop(); next; next = left.pop()) {
    const [value, path] = next;
    if (typeof value === 'string' && !isText(value)) {
      throw refusal('BAD_USER_INPUT', MESSAGE, { field: path });
    }
    if (typeof value !== 'object' || value === null) continue;
    // Paths of unlimited length would take memory by the square of the depth.
    const isShown = path.length <= MAX_PATH_LENGTH;
    for (const [key, inner] of Object.entries(value)) {
      left.push([
        inner,
        isShown ? `${path}${Array.isArray(value) ? `[${key}]` : `.${key}`}` : path,
      ]);
    }
  }
}

const MAX_PATH_LENGTH = 200;

/** Like {@link requireText}, for the strings in the document itself. */
export function requireTextIn(document: DocumentNode): void {
  visit(document, {
    StringValue(node) {
      if (isText(node.value)) return;
      const error = new GraphQLError(MESSAGE, { nodes: node });
      throw new RequestErrors([withCode(error, 'BAD_USER_INPUT')]);
    },
  });
}
