import { z } from 'zod';
import { type Principal, requirePrincipal } from '#platform/auth/principal.ts';
import { badInput } from '#platform/graphql/errors.ts';
import { isText } from '#platform/graphql/text.ts';
import type { SpacePrincipal } from '../application/host-role.ts';
import { MAX_AMENITIES, MAX_AMENITY_LENGTH } from '../domain/checks/presentation.ts';
import type { FoundSpace } from '../domain/space.ts';
import type { SpaceListing } from '../domain/space-listing.ts';
import type { SpaceOrder, SpacePosition, SpaceSearch } from '../ports.ts';

export type SpaceFilter = { [Key in keyof Omit<SpaceSearch, 'hostId'>]?: SpaceSearch[Key] } & {
  mine?: boolean | null;
};

/** Throws BAD_USER_INPUT, or UNAUTHENTICATED when an anonymous principal asks for its own spaces. */
export function toSearch(
  filter: SpaceFilter | null | undefined,
  principal: Principal | null,
): SpaceSearch {
  const freeDuring = filter?.freeDuring ?? null;
  if (freeDuring && freeDuring.endAt <= freeDuring.startAt) {
    throw badInput('filter.freeDuring.endAt', 'The slot must end after it starts.');
  }
  if (/\p{Cc}/u.test(filter?.text ?? '')) {
    throw badInput('filter.text', 'The text must not hold control characters.');
  }
  return {
    text: filter?.text?.trim() || null,
    minCapacity: filter?.minCapacity ?? null,
    maxHourlyRate: filter?.maxHourlyRate ?? null,
    currency: filter?.currency ?? null,
    freeDuring,
    amenities: toAmenities(filter?.amenities),
    hostId: filter?.mine ? requirePrincipal(principal).userId : null,
  };
}

function toAmenities(amenities: readonly string[] | null | undefined): readonly string[] | null {
  if (!amenities || amenities.length === 0) return null;
  if (amenities.length > MAX_AMENITIES) {
    throw badInput('filter.amenities', `Name at most ${MAX_AMENITIES} amenities.`);
  }
  for (const [index, amenity] of amenities.entries()) {
    if (/\p{Cc}/u.test(amenity) || amenity.length > MAX_AMENITY_LENGTH) {
      throw badInput(
        `filter.amenities[${index}]`,
        `An amenity has at most ${MAX_AMENITY_LENGTH} characters, none of them control characters.`,
      );
    }
  }
  return amenities;
}

const POSITIONS = {
  NEWEST: z.object({ order: z.literal('NEWEST'), id: z.uuid() }),
  PRICE_LOW_FIRST: pricePosition('PRICE_LOW_FIRST'),
  PRICE_HIGH_FIRST: pricePosition('PRICE_HIGH_FIRST'),
  NAME: z.object({
    order: z.literal('NAME'),
    name: z.string().max(200).refine(isText),
    id: z.uuid(),
  }),
} as const;

function pricePosition<Order extends SpaceOrder>(order: Order) {
  return z.object({
    order: z.literal(order),
    currency: z.enum(['KRW', 'USD', 'EUR', 'JPY']),
    hourlyRate: z.int32(),
    id: z.uuid(),
  });
}

/** The content of the cursors of an order: cursors of another order do not match it. */
export function positionSchema(order: SpaceOrder): z.ZodType<SpacePosition> {
  // What an order does not compare is in none of its cursors.
  const rest = { name: '', currency: 'KRW', hourlyRate: 0 } as const;
  return POSITIONS[order].transform((position) => ({ ...rest, ...position }));
}

/** What the cursor of a space holds: its order, and what that compares. */
export function toPosition(order: SpaceOrder, { id, name, currency, hourlyRate }: FoundSpace) {
  if (order === 'NEWEST') return { order, id };
  return order === 'NAME' ? { order, name, id } : { order, currency, hourlyRate, id };
}

export function toSpacePrincipal({ userId, roles }: Principal): SpacePrincipal {
  return { userId, isHost: roles.includes('host'), isOperator: roles.includes('operator') };
}

/** GraphQL applies its defaults to omitted fields only; here an explicit null gets them, too. */
export function toListing(input: SpaceListing): SpaceListing {
  return {
    ...input,
    description: input.description ?? '',
    address: input.address ?? '',
    timeZone: input.timeZone ?? 'Asia/Seoul',
    currency: input.currency ?? 'KRW',
  };
}
