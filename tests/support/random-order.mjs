import { createHash } from 'node:crypto';

/**
 * Jest's sequencer. Runs the test files in an order that follows from the seed (Jest's `--seed`), so that a
 * file which depends on the data of another one fails sooner or later.
 */
export default class RandomOrder {
  #seed;

  /** @param {{ globalConfig: { seed: number } }} options */
  constructor({ globalConfig }) {
    this.#seed = globalConfig.seed;
  }

  /**
   * @template {{ path: string }} Test
   * @param {Test[]} tests
   */
  sort(tests) {
    return tests
      .map((test) => ({ test, hash: this.#hash(test.path) }))
      .sort((a, b) => a.hash.localeCompare(b.hash))
      .map(({ test }) => test);
  }

  /**
   * The files of one `--shard`; the shards of one seed are disjoint.
   *
   * @template {{ path: string }} Test
   * @param {Test[]} tests
   * @param {{ shardIndex: number, shardCount: number }} options
   */
  shard(tests, { shardIndex, shardCount }) {
    return this.sort(tests).filter((_, index) => index % shardCount === shardIndex - 1);
  }

  allFailedTests() {
    throw new Error('Which tests failed is not recorded: name them by path instead.');
  }

  cacheResults() {}

  /** @param {string} path */
  #hash(path) {
    const file = path.slice(process.cwd().length);
    return createHash('sha1').update(`${this.#seed} ${file}`).digest('hex');
  }
}
