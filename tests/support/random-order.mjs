import { createHash } from 'node:crypto';

/**
 * Jest's sequencer. Runs the test files in an order that the seed decides (Jest's `--seed`), so that a
 * file which depends on what another one left behind is found out.
 */
export default class RandomOrder {
  #seed;

  constructor({ globalConfig }) {
    this.#seed = globalConfig.seed;
  }

  sort(tests) {
    return tests
      .map((test) => ({ test, place: this.#hash(test.path) }))
      .sort((a, b) => a.place.localeCompare(b.place))
      .map(({ test }) => test);
  }

  /** The part of the files that `--shard` asks for; the parts of one seed are disjoint. */
  shard(tests, { shardIndex, shardCount }) {
    return this.sort(tests).filter((_, index) => index % shardCount === shardIndex - 1);
  }

  allFailedTests() {
    throw new Error('Which tests failed is not recorded: name them by path instead.');
  }

  cacheResults() {}

  #hash(path) {
    const file = path.slice(process.cwd().length);
    return createHash('sha1').update(`${this.#seed} ${file}`).digest('hex');
  }
}
