import { randomBytes } from 'node:crypto';
import type { Suggestion } from './demo.ts';

/** The sandbox payment provider's token that is always approved. */
const approvedPaymentMethod = 'pm_ok';

export type BannerFacts = {
  graphqlUrl: string;
  logs: string;
  profile: string;
  startedInMs: number;
  demoSpaces?: number;
  /** Absent where tokens come from elsewhere. */
  customer?: { name: string; token: string };
  suggestion?: Suggestion;
};

/** What a user needs first, as plain text. */
export function banner(facts: BannerFacts): string {
  const seconds = (facts.startedInMs / 1000).toFixed(1);
  const demo = facts.demoSpaces ? `, with ${facts.demoSpaces} demo spaces` : '';
  const lines = [
    '',
    `spacerent is ready after ${seconds} s (${facts.profile} profile${demo}).`,
    '',
    `  GraphQL  ${facts.graphqlUrl}  (in a browser: Apollo Sandbox)`,
    `  Logs     ${facts.logs}`,
  ];
  if (facts.customer) {
    lines.push(
      '',
      `The header of a customer, ${facts.customer.name}:`,
      '',
      `Authorization: Bearer ${facts.customer.token}`,
    );
  }
  if (facts.suggestion) {
    lines.push('', `Book ${facts.suggestion.spaceName} for tomorrow:`, '');
    lines.push(bookingMutation(facts.suggestion));
  }
  lines.push('', 'Ctrl-C stops.', '');
  return lines.join('\n');
}

function bookingMutation({ spaceId, startAt, endAt }: Suggestion): string {
  // A key of its own for each start: pasting twice answers with the same booking.
  const key = `try-${randomBytes(4).toString('hex')}`;
  return `mutation {
  requestBooking(input: {
    idempotencyKey: ${JSON.stringify(key)}
    spaceId: ${JSON.stringify(spaceId)}
    slot: { startAt: "${startAt}", endAt: "${endAt}" }
    headcount: 2
    paymentMethod: "${approvedPaymentMethod}"
  }) {
    __typename
    ... on RequestBookingSuccess { booking { id status price { amount currency } } }
    ... on Problem { message }
  }
}`;
}
