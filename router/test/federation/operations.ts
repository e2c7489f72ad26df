type Operation = [name: string, query: string, variables?: Record<string, unknown>];

/** Operations on the fixtures whose results have no errors, by subject. */
export const operations: Record<string, Operation[]> = {
  'what entities are': [
    [
      'one entity from four subgraphs',
      '{ me { name label reviews { id } favourite { __typename } } }',
    ],
    ['several keys', '{ me { email label id made { sku } reviews { author { label } } } }'],
    [
      'a compound key',
      '{ product(sku: "p1") { ... on Book { warehouse { code capacity } } } warehouses { capacity country } }',
    ],
    [
      'nested entities',
      '{ me { reviews { product { reviews { author { reviews { product { title } } manager { name } } } } } } }',
    ],
    [
      'a list with nulls',
      '{ users(filter: {ids: ["u1", "nobody", null, "u3", "u1"]}) { id label reviews { stars } } }',
    ],
    ['an empty list', '{ users(filter: {ids: []}) { id label } strictProducts { sku } }'],
    [
      'lists of lists of entities',
      '{ shelves { sku rating ... on Book { shipping } } strictShelves { title reviews { body } } }',
    ],
    ['lists of lists of values', '{ users { id grid tags settings } }'],
    [
      'values that two subgraphs share',
      '{ users { address { street city geo { lat lon } } reviews { author { address { city } } } } }',
    ],
    ['a field that another subgraph overrides', '{ reviews { author { score } } }'],
    [
      'an entity that one subgraph does not know',
      '{ reviews { author { id name email } } product(sku: "p5") { title rating ... on Book { author { name } } } }',
    ],
  ],
  'what subgraphs require of one another': [
    [
      '@requires',
      '{ strictProducts { ... on Book { shipping } ... on Film { shipping size { width } } } }',
    ],
    [
      '@requires of nulls',
      '{ product(sku: "p3") { ... on Book { shipping weight } } film: product(sku: "p4") { ... on Film { shipping } } }',
    ],
    [
      '@requires below a list',
      '{ shelves { ... on Book { shipping title } ... on Film { stock } } }',
    ],
    ['@provides', '{ signed { author { name } } reviews { author { name } } }'],
    ['@provides with more', '{ signed { author { name email } product { title } } }'],
    [
      '@interfaceObject to types',
      '{ reviews { product { __typename sku title ... on Book { pages } ... on Film { minutes } } } }',
    ],
    [
      'types to @interfaceObject',
      '{ products { __typename rating reviews(first: 1) { stars } best { id } } }',
    ],
    ['@interfaceObject and the type alone', '{ reviews { product { __typename } } }'],
    [
      '@interfaceObject and back',
      '{ things { ... on Film { director { reviews { product { ... on Film { shipping } price } } } } } }',
    ],
  ],
  'interfaces and unions': [
    [
      'a union',
      '{ things { __typename ... on Book { pages } ... on Film { minutes } ... on Note { text about { ... on Note { text } } } } }',
    ],
    [
      'a union through its members’ interface',
      '{ things { ... on Product { sku title rating } ... on Note { text } } }',
    ],
    ['an interface, fields of its own', '{ products { sku title price } }'],
    ['an interface without its typename', '{ products { ... on Film { minutes stock } } }'],
    [
      'fragments that do not apply',
      '{ me { ... on User { id } favourite { ... on Note { text } } } }',
    ],
    [
      'abstract types across subgraphs',
      '{ users { favourite { ... on Book { stock warehouse { capacity } } ... on Film { shipping } } } }',
    ],
    [
      'aliased typenames',
      '{ t: __typename things { kind: __typename } products { a: __typename b: __typename __typename } me { x: __typename } }',
    ],
    [
      'typenames everywhere',
      '{ __typename me { __typename id reviews { __typename product { __typename } author { __typename id } } favourite { __typename } } }',
    ],
    [
      'an interface in a union in a list',
      '{ things { ... on Note { about { ... on Product { title reviews { author { name } } } } } } }',
    ],
  ],
  'names and fragments': [
    [
      'one field twice, with other arguments',
      '{ me { a: nickname b: nickname(style: "long") c: nickname(style: "long", times: 2) nickname } }',
    ],
    [
      'one entity field twice',
      '{ me { one: reviews(first: 1) { id product { title } } all: reviews { id product { price } } } }',
    ],
    ['an alias that is another field’s name', '{ me { name: email email: name id: tone } }'],
    ['an alias of what a key is', '{ me { key: id other: email label } }'],
    [
      'one response name in several fragments',
      '{ me { ...A ...B manager { id } } } fragment A on User { manager { name } } fragment B on User { manager { email manager { id } } name }',
    ],
    [
      'the order of the client',
      '{ me { name ... on User { email id } id tone ...T } } fragment T on User { born tone name }',
    ],
    [
      'fields of one name and two types',
      '{ things { ... on Book { n: pages m: title } ... on Film { n: weight m: shipping } } }',
    ],
    [
      'entities of one name and two types',
      '{ things { ... on Book { by: author { id name } } ... on Film { by: director { id label } } } }',
    ],
    [
      'nested named fragments',
      '{ me { ...U } users { ...U } } fragment U on User { id ...V } fragment V on User { reviews { ...R } } fragment R on Review { stars author { ...N } } fragment N on User { name }',
    ],
    [
      'a fragment on an interface that an object has',
      '{ strictProducts { ...P ... on Book { ...P pages } } } fragment P on Product { sku title rating }',
    ],
    [
      'names that objects inherit',
      '{ me { constructor: id toString: name hasOwnProperty: email valueOf: reviews { constructor: id } } constructor: users { id } }',
    ],
    [
      '__proto__ as a name',
      '{ me { __proto__: id } __proto__: me { id __proto__: manager { name reviews { __proto__: stars } } } }',
    ],
    ['the same root field twice', '{ a: me { id } b: me { reviews { id } } me { name } }'],
    [
      'one object in two places',
      '{ users { manager { manager { reviews { product { title } } } reviews { id } } } }',
    ],
  ],
  conditions: [
    ['literals', '{ me { id @skip(if: true) name @include(if: true) email @include(if: false) } }'],
    [
      'variables on fields',
      'query ($yes: Boolean!, $no: Boolean!) { me { id @skip(if: $no) name @include(if: $no) reviews @include(if: $yes) { id } label @skip(if: $yes) } }',
      { yes: true, no: false },
    ],
    [
      'a whole subgraph left out',
      'query ($if: Boolean!) { me { name reviews @include(if: $if) { id product { title } } } }',
      { if: false },
    ],
    [
      'a whole subgraph included',
      'query ($if: Boolean!) { me { name reviews @include(if: $if) { id product { title } } } }',
      { if: true },
    ],
    [
      'on fragments',
      'query ($if: Boolean!) { me { ... @include(if: $if) { label } ...F @skip(if: $if) ... on User @include(if: $if) { made { title } } } } fragment F on User { reviews { id } }',
      { if: true },
    ],
    [
      'on the root',
      'query ($if: Boolean!) { me @skip(if: $if) { id } users @include(if: $if) { id } __typename @skip(if: $if) }',
      { if: true },
    ],
    ['nothing is left', 'query ($if: Boolean!) { me @skip(if: $if) { id } }', { if: true }],
    [
      'no field of an object is left',
      'query ($if: Boolean!) { me { id @skip(if: $if) reviews @skip(if: $if) { id } } }',
      { if: true },
    ],
    [
      'defaults',
      'query ($a: Boolean = true, $b: Boolean! = false) { me { id @include(if: $a) name @skip(if: $b) reviews @include(if: $b) { id } } }',
    ],
    [
      'both on one field',
      'query ($a: Boolean!, $b: Boolean!) { me { id name @include(if: $a) @skip(if: $b) reviews @skip(if: $b) @include(if: $a) { id } } }',
      { a: true, b: true },
    ],
    [
      'nested',
      'query ($a: Boolean!, $b: Boolean!) { me @include(if: $a) { id reviews @include(if: $b) { product @include(if: $a) { title @include(if: $b) rating } } } }',
      { a: true, b: true },
    ],
    [
      'the same field, once with a condition',
      'query ($if: Boolean!) { me { reviews @include(if: $if) { id } ... { reviews { stars } } } }',
      { if: false },
    ],
  ],
  arguments: [
    [
      'variables',
      'query ($id: ID!, $first: Int) { user(id: $id) { id reviews(first: $first) { id } } }',
      { id: 'u1', first: 1 },
    ],
    [
      'a variable that is not given',
      'query ($id: ID!, $first: Int) { user(id: $id) { reviews(first: $first) { id } } }',
      { id: 'u1' },
    ],
    [
      'a variable that is null',
      'query ($extra: JSON, $style: String) { me { nickname(style: $style) } greeting(tone: LOUD, extra: $extra) }',
      { extra: null, style: null },
    ],
    [
      'defaults of variables',
      'query ($limit: Int = 2, $first: Int = 1) { users(limit: $limit) { id reviews(first: $first) { id } } }',
    ],
    [
      'defaults overridden',
      'query ($limit: Int = 2) { users(limit: $limit) { id } }',
      { limit: 3 },
    ],
    ['defaults of arguments', '{ greeting users { nickname } }'],
    [
      'an enum',
      'query ($tone: Tone) { greeting(tone: $tone) plain: greeting(tone: PLAIN) }',
      { tone: 'LOUD' },
    ],
    [
      'a scalar of any shape',
      'query ($extra: JSON) { greeting(extra: $extra) other: greeting(extra: {a: [1, "x", {b: null}]}) }',
      { extra: { deep: [{ er: true }] } },
    ],
    [
      'an input object',
      'query ($filter: UserFilter) { users(filter: $filter) { id } }',
      { filter: { active: true, born: { to: 1972 } } },
    ],
    [
      'variables in an input object',
      'query ($from: Int, $active: Boolean = false) { users(filter: {active: $active, born: {from: $from}}) { id } }',
      { from: 1970 },
    ],
    [
      'variables for several subgraphs',
      'query ($n: Int!, $stars: [Int!]) { reviews(stars: $stars) { id product { reviews(first: $n) { id } } author { reviews(first: $n) { id } } } }',
      { n: 1, stars: [2, 3] },
    ],
    [
      'one variable as a list',
      'query ($stars: [Int!]) { reviews(stars: $stars) { id } }',
      { stars: 2 },
    ],
    ['unused variables', '{ me { id } }', { what: 'ever' }],
  ],
  'the schema': [
    [
      'types and data together',
      '{ __schema { queryType { name } } me { id } t: __type(name: "User") { name fields { name type { kind name } } } }',
    ],
    [
      'with variables',
      'query ($name: String!, $deep: Boolean!) { __type(name: $name) { name kind description @include(if: $deep) enumValues { name } } }',
      { name: 'Tone', deep: false },
    ],
    [
      'in fragments',
      '{ ...S me { name } } fragment S on Query { __schema { types { ...T } } } fragment T on __Type { name kind }',
    ],
    [
      'what is not there',
      '{ __type(name: "Missing") { name } hidden: __type(name: "User") { fields { name } } }',
    ],
  ],
  mutations: [
    ['one', 'mutation { rename(id: "u1", name: "Kim") { id name reviews { id } } }'],
    [
      'several in order, across subgraphs',
      'mutation { a: rename(id: "u1", name: "Kim") { name label } b: relabel(sku: "p1", title: "New") { title rating } c: rename(id: "u2", name: "Lee") { name } forget d: review(sku: "p2", stars: 4) { stars product { title } author { name } } }',
    ],
  ],
  'several operations': [
    ['nothing but the typename', '{ __typename }'],
    ['a shared root field', '{ version me { id } products { sku } }'],
  ],
};
