/** The response names of the fields of one object, in all selection sets that are merged into it. */
export class ResponseNames {
  readonly #fields = new Map<string, { field: string; inner: ResponseNames }>();

  /** Whether the field, with its arguments, may have the name beside the others. */
  allows(name: string, field: string): boolean {
    const known = this.#fields.get(name);
    return known === undefined || known.field === field;
  }

  /** Returns the names inside the field. */
  add(name: string, field: string): ResponseNames {
    const known = this.#fields.get(name);
    if (known) return known.inner;
    const inner = new ResponseNames();
    this.#fields.set(name, { field, inner });
    return inner;
  }
}
