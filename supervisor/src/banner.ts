import { randomBytes } from 'node:crypto';
import type { Suggestion } from './demo.ts';

/** The sandbox payment provider's token that is always approved. */
const approvedPaymentMethod = 'pm_ok';

export type BannerContent = {
  graphqlUrl: string;
  logs: string;
  profile: string;
  startedInMs: number;
  demoSpaces?: number;
  /** Absent when an identity provider issues the tokens. */
  customer?: { name: string; token: string };
  suggestion?: Suggestion;
};

/** The text that is shown when the system is ready. */
export function banner(content: BannerContent): string {
  const seconds = (content.startedInMs / 1000).toFixed(1);
  const demo = content.demoSpaces ? `, with ${content.demoSpaces} demo spaces` : '';
  const lines = [
    '',
    `spacerent is ready after ${seconds} s (${content.profile} profile${demo}).`,
    '',
    `  GraphQL  ${content.graphqlUrl}  (in a browser: Apollo Sandbox)`,
    `  Logs     ${content.logs}`,
  ];
  if (content.customer) {
    lines.push(
      '',
      `The header of a customer, ${content.customer.name}:`,
      '',
      `Authorization: Bearer ${content.customer.token}`,
    );
  }
  if (content.suggestion) {
    lines.push('', `Book ${content.suggestion.spaceName} for the day after tomorrow:`, '');
    lines.push(bookingMutation(content.suggestion));
  }
  lines.push('', 'Ctrl-C stops.', '');
  return lines.join('\n');
}

function bookingMutation({ spaceId, startAt, endAt }: Suggestion): string {
  // A new key for each start: sending the mutation twice returns the same booking.
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
