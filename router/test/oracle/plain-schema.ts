import { Supergraph } from '@apollo/federation-internals';
import { type GraphQLFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import type { Badge, Company, Depot, Item, Packing, Person, Review, World } from './world.ts';

type Resolver = GraphQLFieldResolver<never, unknown, never>;
type Resolvers = Record<string, Record<string, Resolver>>;
type Ref = { id: string };

/**
 * The schema that clients see, over all data in one place. Every field is computed from the data itself:
 * a subgraph computes it from what the router sent.
 */
export function buildPlainSchema(supergraphSdl: string, world: World): GraphQLSchema {
  const schema = Supergraph.build(supergraphSdl).apiSchema().toGraphQLJSSchema();
  for (const [typeName, fields] of Object.entries(resolversFor(world))) {
    const type = schema.getType(typeName);
    if (!isObjectType(type)) throw new Error(`the schema has no object type "${typeName}"`);
    for (const [name, resolve] of Object.entries(fields)) {
      const field = type.getFields()[name];
      if (!field) throw new Error(`the schema has no field "${typeName}.${name}"`);
      field.resolve = resolve as GraphQLFieldResolver<unknown, unknown>;
    }
  }
  return schema;
}

const GRAMS = { G: 1, KG: 1000, LB: 500 };

function weigh({ grams }: Item, unit: keyof typeof GRAMS): number | null {
  return grams === null ? null : grams / GRAMS[unit];
}

function describeWeight(item: Item, unit: 'KG' | 'LB'): string | null {
  const weight = weigh(item, unit);
  return weight === null ? null : `${weight} ${unit.toLowerCase()}`;
}

function tollOf({ sku, kind, price }: Item): string {
  return `${sku} ${kind} at ${price}`;
}

function volumeOf({ size }: Item): number | null {
  return size ? size.width * (size.height === null ? 100 : size.height) : null;
}

function worthOf({ lots }: Item): number | null {
  if (!lots) return null;
  let sum = 0;
  for (const lot of lots) {
    if (!lot) sum += 1000;
    else sum += lot.value === null ? lot.pieces : lot.pieces * lot.value;
  }
  return sum;
}

function handlingOf(packing: Packing | null): string {
  if (!packing) return 'bare';
  if (packing.__typename === 'Wrap') {
    return [packing.code, 'wrap', packing.layers, packing.material?.grade].join(' ');
  }
  const corners = packing.corners?.map((point) => (point ? `${point.x}:${point.y}` : '')).join();
  return [packing.code, 'box', packing.depth, corners].join(' ');
}

function resolversFor(world: World): Resolvers {
  return { ...rootResolvers(world), ...itemResolvers(world), ...personResolvers(world) };
}

function itemBySku(world: World, sku: string): Item | null {
  return world.items.find((each) => each.sku === sku) ?? null;
}

/** What nobody knows has only its id. */
function partyById({ people, companies }: World, id: string | null) {
  if (id === null) return null;
  const found = people.find((each) => each.id === id) ?? companies.find((each) => each.id === id);
  return found ?? { __typename: 'Person', id };
}

function personById({ people }: World, id: string | null): Person | null {
  return people.find((each) => each.id === id) ?? null;
}

function rootResolvers(world: World): Resolvers {
  const { Query, Mutation } = {
    Query: {
      items(_: unknown, { first, kind }: { first: number | null; kind?: string | null }) {
        const [one, ...others] = world.items;
        const all = [one, null, ...others];
        const found = kind ? all.filter((each) => each === null || each?.kind === kind) : all;
        return found.slice(0, Math.max(0, first ?? 0));
      },
      item: (_: unknown, { sku }: { sku: string }) => itemBySku(world, sku),
      crates: () => world.items.filter(({ __typename }) => __typename === 'Crate'),
      barrel: () => itemBySku(world, 'p2'),
      things: () => [
        itemBySku(world, 'p1'),
        itemBySku(world, 'p2'),
        { __typename: 'Note', text: 'a note', about: itemBySku(world, 'p4') },
        null,
        personById(world, 'u1'),
        { __typename: 'Note', text: 'other', about: { __typename: 'Note', text: 'deep' } },
      ],
      featured: () => itemBySku(world, 'p1'),
      shelves: () => [
        [itemBySku(world, 'p1'), null, itemBySku(world, 'p2')],
        null,
        [],
        [itemBySku(world, 'p3')],
      ],
      version: () => '1',
      me: () => personById(world, 'u1'),
      person: (_: unknown, { id }: Ref) => personById(world, id),
      people(_: unknown, { ids, filter }: PeopleArguments) {
        const all = ids ? ids.map((id) => personById(world, id)) : world.people;
        const { from = 0, to } = filter?.ages ?? {};
        return all.filter((each) => {
          if (!each) return true;
          const isOfCountry = !filter?.country || each.country === filter.country;
          return isOfCountry && each.age >= from && each.age <= (to ?? Number.POSITIVE_INFINITY);
        });
      },
      parties: () => world.companies.concat(world.people as never[]),
      badges: () => world.badges,
      reviews(_: unknown, { stars }: { stars?: number[] | null }) {
        const [one, ...others] = world.reviews;
        const all = [one, null, ...others];
        return stars ? all.filter((each) => !each || stars.includes(each.stars)) : all;
      },
      top: () => world.reviews.slice(0, 5),
      latest: () => world.reviews[4],
      voters: () => ['u1', null, 'c1', 'u3'].map((id) => partyById(world, id)),
      depots: () => world.depots,
      depot: (_: unknown, { code }: { code: string }) =>
        world.depots.find((each) => each.code === code),
      stocked: () => [...world.items.slice(0, 3), null, world.depots[1]],
    },
    Mutation: {
      relabel(_: unknown, { sku, title }: { sku: string; title?: string | null }) {
        const item = itemBySku(world, sku);
        if (item) item.title = title ?? null;
        return item;
      },
      reprice(_: unknown, { sku, price }: { sku: string; price: number }) {
        const item = itemBySku(world, sku);
        if (item) item.price = price;
        return item;
      },
      rename(_: unknown, { id, name }: { id: string; name?: string | null }) {
        const person = personById(world, id);
        if (person) person.name = name ?? null;
        return person;
      },
      review(_: unknown, args: { id: string; stars: number; body?: string | null }) {
        const review = world.reviews.find(({ id }) => id === args.id);
        if (review) review.stars = args.stars;
        if (review) review.body = args.body ?? null;
        return review;
      },
    },
  };
  return { Query, Mutation };
}

interface PeopleArguments {
  ids?: (string | null)[] | null;
  filter?: {
    country?: string | null;
    ages?: { from: number; to?: number | null } | null;
  } | null;
}

function itemResolvers(world: World): Resolvers {
  const reviewsOf = ({ sku }: Item) =>
    // Reviews does not know this one.
    sku === 'p5' ? null : world.reviews.filter((review) => review.sku === sku);
  const depotOf = ({ depot }: Item) => world.depots.find(({ code }) => code === depot);
  const shared = {
    weight: (item: Item, { unit }: { unit: keyof typeof GRAMS }) => weigh(item, unit),
    maker: ({ maker }: Item) => partyById(world, maker),
    depot: depotOf,
    stock: ({ sku }: Item) => 100 * Number(sku.replace('p', '')),
    toll: tollOf,
    handling: ({ packing }: Item) => handlingOf(packing),
    volume: volumeOf,
    worth: worthOf,
    postage: (item: Item) => describeWeight(item, 'KG'),
    stamps: (item: Item) => describeWeight(item, 'LB'),
    origin({ maker }: Item) {
      const party = partyById(world, maker) as Person | Company | null;
      return party && `${party.id} of ${party.country}`;
    },
    reviews: (item: Item, { first }: { first: number | null }) =>
      reviewsOf(item)?.slice(0, first ?? 5),
    // Without a rating nobody can ask for its acclaim.
    acclaim: ({ sku }: Item) => (sku === 'p5' ? null : `${sku.replace('p', '')}.5 stars`),
    rating: ({ sku }: Item) => (sku === 'p5' ? null : Number(sku.replace('p', '')) + 0.5),
    best: (item: Item) => reviewsOf(item)?.[0],
    blurb: ({ sku, title, price }: Item) => (sku === 'p5' ? null : `${title} for only ${price}`),
  };
  return {
    Crate: {
      ...shared,
      lidded: ({ price }: Item) => price > 20,
      inside: ({ sku }: Item) => (sku === 'p1' ? itemBySku(world, 'p2') : null),
      face: ({ sku, price }: Item) => [
        [{ red: 1, shade: 2, green: price, blue: Number(sku.replace('p', '')) }, null],
        [],
        null,
      ],
      insurance: (item: Item) => `insured: ${tollOf(item)} / ${volumeOf(item)}`,
    },
    Barrel: { ...shared, litres: ({ price }: Item) => price * 3 },
  };
}

function personResolvers(world: World): Resolvers {
  const isKnown = ({ id }: Ref) => personById(world, id) !== null;
  const made = ({ id }: Ref) => world.items.filter(({ maker }) => maker === id);
  const reviewsOf = ({ id }: Ref) => world.reviews.filter(({ author }) => author === id);
  return {
    Person: {
      made,
      favourite: ({ id }: Ref) =>
        id === 'u3' ? personById(world, 'u4') : itemBySku(world, id.replace('u', 'p')),
      address: (person: Person) =>
        isKnown(person) && person.id !== 'u4'
          ? { street: `${person.id} street`, city: `${person.id} city` }
          : null,
      manager: ({ manager = null }: Person) => personById(world, manager),
      friends: ({ friends }: Person) => friends?.map((id) => personById(world, id)),
      badge: ({ id }: Ref) => world.badges.find(({ holder }) => holder === id),
      nickname: (person: Person, { style, times }: { style: string; times: number }) =>
        isKnown(person) ? `${style} ${person.id} ${times}` : null,
      score: (person: Person) => (isKnown(person) ? person.age * 2 : null),
      reviews: (person: Ref, { first }: { first?: number | null }) =>
        reviewsOf(person).slice(0, first ?? undefined),
      lastReview: (person: Ref) => reviewsOf(person).at(-1),
      // Stock knows people by their e-mail address.
      label: ({ email, name, grid }: Person) =>
        email ? `${name} <${email}> ${JSON.stringify(grid)}` : null,
      desk: ({ email }: Person) => (email ? `desk of ${email}` : null),
    },
    Company: { made, owner: ({ owner }: Company) => personById(world, owner) },
    Badge: {
      holder: ({ holder }: Badge) => personById(world, holder),
      locker: ({ org, number }: Badge) => (org ? `locker ${org.id}-${number}` : null),
    },
    Review: {
      author: ({ author }: Review) => partyById(world, author),
      item: ({ sku }: Review) => itemBySku(world, sku),
    },
    Vote: { by: ({ by }: { by: string }) => partyById(world, by) },
    Depot: {
      keeper: ({ keeper }: Depot) => personById(world, keeper),
      holds: ({ code }: Depot) => world.items.filter(({ depot }) => depot === code),
    },
  };
}
