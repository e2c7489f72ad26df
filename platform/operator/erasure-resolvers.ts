import { requirePrincipal } from '../auth/principal.ts';
import { badInput } from '../graphql/errors.ts';
import { parseId } from '../graphql/ids.ts';
import type { SubgraphContext } from '../graphql/subgraph-server.ts';
import { isText } from '../graphql/text.ts';
import { type Erasure, PSEUDONYM } from './erasure.ts';

/** A refusal to erase; the message is a sentence with the reason. */
export class NotErasable extends Error {}

interface EraseArgs {
  customerId: string;
  pseudonym: string;
  after?: string | null;
}

/** How operators erase a customer in a context: the field `erase<Context>Customer`. */
export function erasureResolvers(
  context: 'Book' | 'Payment' | 'Space' | 'MyPage',
  erasure: Erasure,
) {
  return {
    Mutation: {
      [`erase${context}Customer`]: (
        _: unknown,
        args: EraseArgs,
        { principal }: SubgraphContext,
      ) => {
        const request = {
          customerId: parseCustomer(args.customerId),
          pseudonym: parsePseudonym(args.pseudonym),
          after: args.after ? parseId(args.after, 'after') : null,
        };
        return toErasureResult(async () => ({
          pseudonym: request.pseudonym,
          ...(await erasure.erase(request, requirePrincipal(principal))),
        }));
      },
    },

    CustomerErasureResult: { __resolveType: ({ type }: { type: string }) => type },
  };
}

/** The customer's id as in tokens; throws BAD_USER_INPUT for an id that no token can contain. */
export function parseCustomer(customerId: string): string {
  if (customerId.trim() === '' || !isText(customerId)) {
    throw badInput('customerId', 'The customerId must be the `sub` of a customer.');
  }
  return customerId;
}

function parsePseudonym(pseudonym: string): string {
  if (PSEUDONYM.test(pseudonym)) return pseudonym;
  throw badInput('pseudonym', 'The pseudonym must be the one of beginCustomerErasure.');
}

/** A step as a member of the union; a {@link NotErasable} is a refusal. */
export async function toErasureResult(
  step: () => Promise<{ pseudonym: string; replaced: number; next: string | null }>,
) {
  try {
    return { type: 'CustomerErasureSuccess', ...(await step()) };
  } catch (error) {
    if (!(error instanceof NotErasable)) throw error;
    return { type: 'CustomerNotErasable', message: error.message };
  }
}
