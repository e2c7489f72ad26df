/** The types of an item's values, in the schemas of all subgraphs that return them. */
export const VALUE_TYPES = `
  enum Kind { FRAGILE HEAVY PLAIN }
  enum Unit { G KG LB }
  type Size @shareable { width: Int height: Int }
  type Point @shareable { x: Int y: Int }
  type Material @shareable { name: String grade: Int }
  type Lot @shareable { pieces: Int! value: Int }
  interface Packing { code: ID! }
  type Box implements Packing @shareable { code: ID! depth: Int corners: [Point] }
  type Wrap implements Packing @shareable { code: ID! layers: Int material: Material }
`;
