/** An operation, by what it is about. `$yes` is true and `$no` is false. */
export type Case = [name: string, query: string];

/** Operations whose aliases have the names of keys, of required fields, or of `__typename`. */
export const collisions: Case[] = [
  ['a required scalar', '{ crates { price: stock toll } }'],
  ['two required scalars, swapped', '{ crates { price: kind kind: price toll } }'],
  ['a required object', '{ crates { size: lots { value } volume } }'],
  [
    'a field inside a required object',
    '{ crates { size { width: height height: width } volume } }',
  ],
  ['a required list of objects', '{ crates { lots: size { height } worth } }'],
  ['a field in a required list', '{ crates { lots { value: pieces pieces: value } worth } }'],
  ['a required interface field', '{ crates { packing: size { width } handling } }'],
  [
    'a field in fragments of a required interface field',
    '{ items { ... on Crate { packing { code ... on Box { depth: code corners { x: y } } } handling } } }',
  ],
  ['a required entity', '{ crates { maker: depot { code } origin } }'],
  ['a field of a required entity', '{ crates { maker { country: name id: country } origin } }'],
  [
    'a required field with arguments',
    '{ crates { weight: price postage } barrel { weight: litres stamps } }',
  ],
  ['a required field with other arguments', '{ crates { weight(unit: G) postage } }'],
  [
    'a required field with arguments, twice',
    '{ crates { weight(unit: LB) kg: weight(unit: KG) postage stamps } }',
  ],
  ['a required field that requires others', '{ crates { toll: title volume: price insurance } }'],
  ['what a required field requires', '{ crates { price: volume kind: toll insurance } }'],
  ['a required field of an interface object', '{ items { title: rating price: title blurb } }'],
  ['a single key', '{ crates { sku: title rating } }'],
  ['one of several keys', '{ me { id: name email: id label reviews { stars } } }'],
  ['a key with resolvable: false', '{ crates { ean: title sku: ean toll } }'],
  ['both parts of a compound key', '{ crates { depot { country: code code: country capacity } } }'],
  ['a nested key', '{ badges { org { id: name name: id } number: level locker } }'],
  ['the object of a nested key', '{ badges { org: holder { id: name } locker } }'],
  ['a key, on an object', '{ me { id: badge { level } reviews { id } } }'],
  ['__typename, on a key', '{ me { __typename: id score lastReview { __typename: stars } } }'],
  [
    'a key, on __typename',
    '{ me { id: __typename score email: __typename label reviews { id } } }',
  ],
  [
    '__typename, in an interface',
    '{ items { __typename: sku sku: __typename rating ... on Crate { stock } } }',
  ],
  [
    '__typename, in a union',
    '{ things { ... on Item { __typename: title rating } ... on Person { title: id score } } }',
  ],
  [
    'a key in different fragments',
    '{ things { ... on Crate { sku: title toll } ... on Barrel { sku: blurb volume } } }',
  ],
  [
    'a required field in different fragments',
    '{ items { ... on Crate { price: stock toll } ... on Barrel { price: volume toll } } }',
  ],
  [
    'a key in named fragments on different types',
    `{ items { ...C ...B rating } } fragment C on Crate { sku: ean toll }
      fragment B on Barrel { sku: toll __typename: title }`,
  ],
  ['a key in a list of lists', '{ shelves { sku: title title: sku rating best { id: body } } }'],
  ['a list of lists from two subgraphs', '{ crates { face { red: blue blue: red shade green } } }'],
  ['a provided field', '{ top { author { name: id id: name score } } }'],
  [
    'a provided field of a union',
    '{ stocked { ... on Crate { title: toll kind: title } ... on Barrel { title: toll volume } } }',
  ],
  ['a provided field of an interface', '{ voters { name: id id: country country: name } }'],
  [
    'a field that a condition includes',
    '{ crates { price: stock @include(if: $yes) toll sku: title @skip(if: $no) } }',
  ],
  [
    'a field that a condition leaves out',
    '{ crates { price: stock @include(if: $no) toll sku: title @skip(if: $yes) } }',
  ],
  [
    'a key in a fragment that a condition leaves out',
    '{ items { ... @skip(if: $yes) { sku: title } ... @include(if: $yes) { price: rating } blurb } }',
  ],
  [
    'the field itself, twice',
    '{ crates { sku price sku toll price size { width } size { height } } }',
  ],
  ['a root field', '{ me: crates { sku: title toll } crates: me { id: name label } }'],
  ['an object prototype', '{ me { constructor: id __proto__: name toString: score } }'],
];

/** Mutations, whose results have such names too. */
export const mutations: Case[] = [
  ['a key', 'mutation { relabel(sku: "p1", title: "new") { sku: title title: sku rating } }'],
  [
    'a required field',
    'mutation { reprice(sku: "p2", price: 7) { ... on Barrel { price: stock toll } } }',
  ],
  ['a provided field', 'mutation { rename(id: "u1", name: "new") { name: id id: name label } }'],
  [
    'fields of several mutations',
    `mutation { sku: relabel(sku: "p1", title: null) { title } id: rename(id: "u3", name: "n") { name }
      review(id: "r1", stars: 1) { id: stars stars: id author { id: name } } }`,
  ],
];

/** What plans bring only in part, or wrongly, whatever the names. */
export const plans: Case[] = [
  [
    "a field of an interface object under the name of another type's field",
    '{ stocked { ... on Barrel { postage: blurb } ... on Crate { postage } } }',
  ],
  ['a condition on a field with requirements', '{ crates { handling @include(if: $no) volume } }'],
  [
    'conditions that leave nothing of a field',
    '{ me { name @include(if: $no) } crates @skip(if: $no) { sku @include(if: $no) } }',
  ],
  ['a condition that is literal', '{ items { ... on Barrel { worth @skip(if: true) volume } } }'],
  [
    'a condition on a fragment',
    '{ depots { holds { ... on Barrel @skip(if: $yes) { handling } ... on Barrel { volume } } } }',
  ],
  [
    'a condition on one of several required fields',
    '{ crates { toll @skip(if: $yes) volume @include(if: $yes) insurance @include(if: $no) } }',
  ],
  [
    'a condition that the fetch does not have',
    '{ stocked { ... on Crate @skip(if: true) { handling } ... on Crate { lidded } } }',
  ],
  ['a requirement that an unknown entity lacks', '{ crates { sku acclaim stock toll } }'],
  [
    'requirements of which one is left out and one is lacking',
    '{ crates { acclaim handling @include(if: $no) rating @skip(if: $yes) volume } }',
  ],
  ['requirements of one type of an interface', '{ items { ... on Barrel { blurb } rating } }'],
  ['a key of one type of a union', '{ things { ... on Barrel { blurb } ... on Crate { sku } } }'],
  ['a key of one type of an interface', '{ reviews { item { ... on Barrel { blurb sku } } } }'],
  [
    'the type of an interface object',
    '{ barrel { rating __typename } crates { __typename best { id } } }',
  ],
  [
    'the type of an interface object in fragments',
    '{ featured { ... on Crate { rating } ... on Barrel { rating } ... on Barrel { __typename } } }',
  ],
  [
    'fragments on one type, with a field between them',
    '{ top { ... on Review { id } stars ... on Review { body author { id ... on Party { name } id country } } } }',
  ],
  [
    'a fragment that is spread twice',
    `{ top { ...A stars item { sku } ...A body } } fragment A on Review { item { title } id }`,
  ],
  [
    'requirements with different arguments below an interface object',
    '{ latest { item { ... on Crate { postage } ... on Crate @skip(if: $yes) { stamps } } } }',
  ],
  [
    'a type inside an interface',
    '{ me { friends { ... on Party { ... on Person { n: __typename } } } } }',
  ],
  [
    'an unknown entity',
    '{ reviews { author { id name label desk score reviews { id } made { sku } } } }',
  ],
  ['a null key', '{ people { email label desk } depots { keeper { name label desk } } }'],
  [
    'a null in a nested key',
    '{ badges { org { name } number level locker holder { name label } } }',
  ],
];
