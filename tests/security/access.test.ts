import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Role } from '#platform/auth/principal.ts';
import type { Audience } from '#platform/graphql/access.ts';
import { listSpace, newCustomer } from '../support/customer.ts';
import { waitForRebuild } from '../support/rebuild.ts';
import { describeSystems, type GraphQLResponse, type System } from '../support/system.ts';
import { querySubgraph } from './internal-requests.ts';
import { entityFields, rootFields } from './schema-rules.ts';

const principals: [string, Role | null][] = [
  ['anonymous clients', null],
  ['customers', 'customer'],
  ['hosts', 'host'],
  ['operators', 'operator'],
];

const ROLES: Partial<Record<Audience, Role>> = {
  CUSTOMER: 'customer',
  HOST: 'host',
  OPERATOR: 'operator',
};

/** The code of the error that a principal of the role gets; null if the field is resolved. */
function expectedCode(audience: Audience, role: Role | null): string | null {
  if (audience === 'ANYONE') return null;
  if (audience === 'SERVICE') return 'FORBIDDEN';
  if (role === null) return 'UNAUTHENTICATED';
  if (audience === 'SIGNED_IN' || role === 'operator' || ROLES[audience] === role) return null;
  return 'FORBIDDEN';
}

const codesOf = ({ errors }: Pick<GraphQLResponse, 'errors'>) =>
  (errors ?? []).map(({ extensions }) => extensions.code);

describeSystems('access rules', (system) => {
  const fields = rootFields();
  const tokenFor = (role: Role | null) =>
    role === null ? Promise.resolve(null) : system.token(`matrix-${uuidv7()}`, role);

  const ids: Record<string, string> = {};

  beforeAll(async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    Object.assign(ids, { Space: space.id, Booking: booking.id });
  });

  // The matrix starts a rebuild; other tests start their own.
  afterAll(() => waitForRebuild(system));

  for (const { name, kind, audience, query, variables } of fields) {
    describe(`${name}, which is for ${audience},`, () => {
      test.each(principals)(
        'the field is resolved or refused for %s as its rule says',
        async (_name, role) => {
          const token = await tokenFor(role);
          const response =
            kind === 'subscription'
              ? await firstResponse(system, token, query, variables)
              : await system.graphql(token, query, variables);
          const code = expectedCode(audience, role);
          if (code) {
            expect(codesOf(response)).toEqual([code]);
            expect(response.data?.[name] ?? null).toBeNull();
          } else {
            expect(codesOf(response)).not.toContain('UNAUTHENTICATED');
            expect(codesOf(response)).not.toContain('FORBIDDEN');
            expect(codesOf(response)).not.toContain('GRAPHQL_VALIDATION_FAILED');
          }
        },
      );
    });
  }

  test('the access matrix contains every root field and every audience', () => {
    expect(fields.length).toBeGreaterThanOrEqual(25);
    expect(new Set(fields.map(({ audience }) => audience))).toEqual(
      new Set(['ANYONE', 'SIGNED_IN', 'CUSTOMER', 'HOST', 'OPERATOR']),
    );
  });

  describe.each(entityFields())(
    '$field of $type in $context, which is for $audience,',
    (entity) => {
      test.each(principals)(
        'the entity field reveals nothing to %s that its rule forbids',
        async (_name, role) => {
          const principal = role && { userId: `matrix-${uuidv7()}`, roles: [role] };
          // The entity belongs to another user.
          const of = [{ __typename: entity.type, id: ids[entity.type] }];
          const response = await querySubgraph(
            system,
            entity.context,
            entity.query,
            { of },
            { principal },
          );
          const code = expectedCode(entity.audience, role);
          const [found] = response.data?._entities ?? [null];
          // An entity that is not found has no fields to refuse.
          if (code && found !== null) expect(codesOf(response)).toEqual([code]);
          if (!code) expect(codesOf(response)).not.toContain('FORBIDDEN');
          if (entity.context === 'book' && entity.type === 'Booking' && role !== 'operator') {
            expect(found).toBeNull();
          }
        },
      );
    },
  );

  describe.each([
    [
      'paymentOutcome',
      'payment',
      'query ($id: ID!) { paymentOutcome(bookingId: $id) { status isClosed } }',
    ],
    [
      'registrationOutcome',
      'space',
      'query ($id: ID!) { registrationOutcome(bookingId: $id) { status } }',
    ],
    [
      'approvePayment',
      'payment',
      `mutation ($id: ID!) { approvePayment(input: { bookingId: $id, customerId: "kim", spaceId: $id, amount: 1,
         currency: KRW, paymentMethod: "pm_ok", slot: { startAt: "2031-01-01T00:00:00Z", endAt: "2031-01-01T01:00:00Z" } }) { status } }`,
    ],
  ] as const)('the internal operation %s of %s', (_name, context, query) => {
    test('the internal operation is not in the public schema', async () => {
      const token = await system.token('operator', 'operator');
      const response = await system.graphql(token, query, { id: uuidv7() });
      expect(codesOf(response)).toContain('GRAPHQL_VALIDATION_FAILED');
      expect(response.data).toBeUndefined();
    });

    test.each(principals)(
      'the internal operation is refused to the router, also on behalf of %s',
      async (_name, role) => {
        const principal = role && { userId: 'olga', roles: [role] };
        const response = await querySubgraph(
          system,
          context,
          query,
          { id: uuidv7() },
          { principal },
        );
        expect(codesOf(response)).toEqual(['FORBIDDEN']);
      },
    );
  });
});

/** The first response of a subscription, or an empty one after 3 s: a refusal is sent at once. */
async function firstResponse(
  system: System,
  token: string | null,
  query: string,
  variables: object,
): Promise<Pick<GraphQLResponse, 'data' | 'errors'>> {
  const response = await fetch(system.graphqlUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(3_000),
  });
  expect(response.status).toBe(200);
  let text = '';
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      const [, data] = /^data: (\{.*\})$/m.exec(text) ?? [];
      if (data) return JSON.parse(data);
    }
  } catch (error) {
    if ((error as Error).name !== 'TimeoutError') throw error;
  }
  return { data: undefined, errors: undefined };
}
