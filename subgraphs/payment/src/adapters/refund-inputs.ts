import { badInput } from '#platform/graphql/errors.ts';
import { parseId } from '#platform/graphql/ids.ts';
import { isText } from '#platform/graphql/text.ts';
import type { GoodwillRequest } from '../domain/goodwill.ts';

const MAX_REASON_LENGTH = 1_000;
const MAX_GOODWILL_REASON_LENGTH = 500;
const MAX_KEY_LENGTH = 200;
const CONTROL_CHARACTER = /\p{Cc}/u;

export interface RefundPaymentInput {
  bookingId: string;
  amount: number;
  reason: string;
  idempotencyKey: string;
}

/** The reason of a resolution, without blanks around it; throws BAD_USER_INPUT. */
export function parseReason(text: string): string {
  const reason = text.trim();
  if (reason === '') throw badInput('input.reason', 'Give the reason for this resolution.');
  if (reason.length > MAX_REASON_LENGTH || !isText(reason)) {
    throw badInput(
      'input.reason',
      `The reason must be text of at most ${MAX_REASON_LENGTH} characters.`,
    );
  }
  return reason;
}

/** A goodwill refund as a client sends it; throws BAD_USER_INPUT naming the field at fault. */
export function parseGoodwill(input: RefundPaymentInput): Omit<GoodwillRequest, 'operatorId'> {
  const bookingId = parseId(input.bookingId, 'input.bookingId');
  const { amount, idempotencyKey } = input;
  if (amount < 1) throw badInput('input.amount', 'The amount must be at least 1.');
  const reason = input.reason.trim();
  if (!isLine(reason, MAX_GOODWILL_REASON_LENGTH)) {
    throw badInput(
      'input.reason',
      `The reason must have 1 to ${MAX_GOODWILL_REASON_LENGTH} characters, none a control character.`,
    );
  }
  if (!isLine(idempotencyKey, MAX_KEY_LENGTH)) {
    throw badInput(
      'input.idempotencyKey',
      `The idempotencyKey must have 1 to ${MAX_KEY_LENGTH} characters, none a control character.`,
    );
  }
  return { bookingId, amount, reason, idempotencyKey };
}

function isLine(text: string, maxLength: number): boolean {
  const isFilled = text.trim() !== '' && text.length <= maxLength;
  return isFilled && isText(text) && !CONTROL_CHARACTER.test(text);
}
