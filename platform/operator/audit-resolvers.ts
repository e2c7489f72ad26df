import { z } from 'zod';
import { badInput } from '../graphql/errors.ts';
import { parseId } from '../graphql/ids.ts';
import { readPage, toConnection } from '../graphql/pagination.ts';
import type { AuditEntry, AuditLog } from './audit.ts';

interface LogArgs {
  subjectId?: string | null;
  userId?: string | null;
  first: number | null;
  after?: string | null;
}

const position = z.uuid();

/** The resolvers of a context's audit log, for operators: the field `<context>AuditLog`. */
export function auditResolvers(context: 'Book' | 'Payment' | 'Space', log: AuditLog) {
  return {
    Query: {
      async [`${context.toLowerCase()}AuditLog`](_: unknown, args: LogArgs) {
        const page = readPage(args, position);
        const userId = args.userId ?? null;
        const subjectId =
          typeof args.subjectId === 'string' ? parseId(args.subjectId, 'subjectId') : null;
        if (userId !== null && /\p{Cc}/u.test(userId)) {
          throw badInput('userId', 'The userId must not hold control characters.');
        }
        const entries = await log.list({ subjectId, userId }, page.after, page.first + 1);
        return toConnection(
          entries,
          page,
          ({ id }) => id,
          (entry) => entry,
        );
      },
    },

    AuditEntry: {
      details: ({ details }: AuditEntry) => JSON.stringify(details),
    },
    ActedAs: { CUSTOMER: 'customer', HOST: 'host', OPERATOR: 'operator' },
  };
}
