/** One guarantee, and the edits that remove it from the sources. */
export interface Mutation {
  /** Completes the sentence "without …". */
  name: string;
  /** Each text occurs exactly once in its file: otherwise the mutation is out of date. */
  edits: readonly (readonly [file: string, text: string, replacement: string])[];
  /** Pattern of the test files that must fail. */
  tests: string;
}
