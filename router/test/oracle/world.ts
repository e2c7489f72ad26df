export interface Person {
  __typename: 'Person';
  id: string;
  /** A key; null keys are never sent, or find nothing. */
  email: string | null;
  name: string | null;
  age: number;
  country: string;
  manager: string | null;
  friends: (string | null)[];
  grid: (number | null)[][] | null;
  tags: string[] | null;
}

export interface Company {
  __typename: 'Company';
  id: string;
  name: string | null;
  country: string | null;
  owner: string | null;
}

export interface Badge {
  org: { id: string; name: string } | null;
  number: number;
  level: number | null;
  holder: string;
}

interface Point {
  x: number;
  y: number | null;
}

export type Packing =
  | { __typename: 'Box'; code: string; depth: number | null; corners: (Point | null)[] | null }
  | {
      __typename: 'Wrap';
      code: string;
      layers: number;
      material: { name: string; grade: number } | null;
    };

export interface Item {
  __typename: 'Crate' | 'Barrel';
  sku: string;
  ean: string | null;
  title: string | null;
  price: number;
  kind: 'FRAGILE' | 'HEAVY' | 'PLAIN';
  grams: number | null;
  size: { width: number; height: number | null } | null;
  lots: ({ pieces: number; value: number | null } | null)[] | null;
  packing: Packing | null;
  maker: string | null;
  depot: string | null;
}

export interface Depot {
  __typename: 'Depot';
  country: string;
  code: string;
  capacity: number;
  keeper: string;
}

export interface Review {
  id: string;
  stars: number;
  body: string | null;
  sku: string;
  author: string;
  votes: ({ up: boolean; by: string } | null)[];
}

/** All data of the federation; the subgraphs and the plain schema each have their own. */
export interface World {
  people: Person[];
  companies: Company[];
  badges: Badge[];
  items: Item[];
  depots: Depot[];
  reviews: Review[];
}

const person = (n: number, more: Partial<Person>): Person => ({
  __typename: 'Person',
  id: `u${n}`,
  email: `u${n}@example.org`,
  name: `Person ${n}`,
  age: 20 + n,
  country: n % 2 ? 'KR' : 'FR',
  manager: null,
  friends: [],
  grid: [[n, 2], [null, 4], []],
  tags: [`tag-${n}`, 'all'],
  ...more,
});

const item = (type: Item['__typename'], n: number, more: Partial<Item>): Item => ({
  __typename: type,
  sku: `p${n}`,
  ean: type === 'Crate' ? `ean-${n}` : null,
  title: `${type} ${n}`,
  price: n * 10,
  kind: 'PLAIN',
  grams: n * 1000,
  size: { width: n, height: n + 4 },
  lots: [{ pieces: n, value: n * 7 }, null, { pieces: 2, value: null }],
  packing: null,
  maker: `u${n}`,
  depot: 'w-0',
  ...more,
});

const box = (n: number): Packing => ({
  __typename: 'Box',
  code: `box-${n}`,
  depth: n,
  corners: [{ x: n, y: 3 }, null, { x: 6, y: null }],
});

const wrap = (n: number): Packing => ({
  __typename: 'Wrap',
  code: `wrap-${n}`,
  layers: n,
  material: { name: `paper ${n}`, grade: n + 40 },
});

const review = (n: number, sku: string, author: string): Review => ({
  id: `r${n}`,
  stars: (n % 5) + 1,
  body: n % 3 ? `Review ${n}` : null,
  sku,
  author,
  votes: [{ up: n % 2 === 0, by: 'u1' }, null, { up: true, by: 'c1' }, { up: false, by: 'u99' }],
});

/** New data: mutations of one do not change another. */
export function createWorld(): World {
  return {
    people: [
      person(1, { manager: 'u2', friends: ['u2', null, 'u3'] }),
      person(2, { manager: 'u3', tags: null, email: null, friends: ['u1'] }),
      person(3, { name: null, grid: null }),
      person(4, { manager: 'u1', friends: ['u4', 'u2'], age: 17 }),
    ],
    companies: [
      { __typename: 'Company', id: 'c1', name: 'Acme', country: 'DE', owner: 'u1' },
      { __typename: 'Company', id: 'c2', name: null, country: null, owner: null },
    ],
    badges: [
      { org: { id: 'o1', name: 'Org 1' }, number: 1, level: 5, holder: 'u1' },
      { org: { id: 'o2', name: 'Org 2' }, number: 1, level: null, holder: 'u3' },
      { org: null, number: 3, level: 7, holder: 'u4' },
    ],
    items: [
      item('Crate', 1, { packing: box(1), kind: 'FRAGILE', maker: 'c1' }),
      item('Barrel', 2, { packing: wrap(2), depot: 'w-1' }),
      item('Crate', 3, { title: null, grams: null, maker: null, ean: null, packing: wrap(3) }),
      item('Barrel', 4, { size: null, lots: null, maker: 'c2', packing: box(4), kind: 'HEAVY' }),
      // Reviews does not know it.
      item('Crate', 5, { maker: 'u4', depot: null, grams: 0, size: { width: 9, height: null } }),
    ],
    depots: [
      { __typename: 'Depot', country: 'KR', code: 'w-0', capacity: 500, keeper: 'u1' },
      { __typename: 'Depot', country: 'KR', code: 'w-1', capacity: 700, keeper: 'u2' },
    ],
    reviews: [
      review(1, 'p1', 'u1'),
      review(2, 'p1', 'u2'),
      review(3, 'p2', 'u1'),
      review(4, 'p3', 'u3'),
      review(5, 'p4', 'u1'),
      // People does not know its author.
      review(6, 'p4', 'u99'),
    ],
  };
}
