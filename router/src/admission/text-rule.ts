import { type DocumentNode, GraphQLError, visit } from 'graphql';
import { isText } from '#platform/graphql/text.ts';
import { RequestErrors, refusal, withCode } from './refusals.ts';

const MESSAGE = 'Text must be whole Unicode characters, and none of them NUL.';

/**
 * Throws BAD_USER_INPUT when a string among the variables is no text; its field is their path to it. This
 * keeps such strings out, whatever they are meant for.
 */
export function requireText(variables: Readonly<Record<string, unknown>>): void {
  // No recursion: a client decides how deep this goes.
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
    // A path as deep as that is no help, and would take more memory the deeper it is.
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

/** As {@link requireText}, for what is written in the document itself. */
export function requireTextIn(document: DocumentNode): void {
  visit(document, {
    StringValue(node) {
      if (isText(node.value)) return;
      const error = new GraphQLError(MESSAGE, { nodes: node });
      throw new RequestErrors([withCode(error, 'BAD_USER_INPUT')]);
    },
  });
}
