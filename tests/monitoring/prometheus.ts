import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { projectFile } from '#platform/config/project.ts';
import { freePort } from '../support/servers.mjs';
import { until } from '../support/system.ts';

const EXAMPLE = 'deploy/prometheus/prometheus.yml';

/** One series of a result, with its present value. */
export interface Series {
  metric: Record<string, string>;
  value: [time: number, value: string];
}

/** A Prometheus that scrapes every second. */
export class Prometheus {
  readonly #process: ChildProcess;
  readonly #home: string;
  readonly #url: string;

  private constructor(process: ChildProcess, home: string, url: string) {
    this.#process = process;
    this.#home = home;
    this.#url = url;
  }

  /** Starts it with the example configuration and the rules of the project, for these targets. */
  static async start(targets: Record<string, string>, token: string): Promise<Prometheus> {
    const home = mkdtempSync(join(tmpdir(), 'spacerent-prometheus-'));
    const config = parse(readFileSync(projectFile(EXAMPLE), 'utf8'));
    config.global = { scrape_interval: '1s', evaluation_interval: '1s' };
    config.scrape_configs[0].static_configs = Object.entries(targets).map(([service, url]) => ({
      targets: [new URL(url).host],
      labels: { service },
    }));
    writeFileSync(join(home, 'prometheus.yml'), stringify(config));
    writeFileSync(join(home, 'metrics-token'), token);
    for (const file of config.rule_files) {
      copyFileSync(projectFile(`deploy/prometheus/${file}`), join(home, file));
    }
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(home, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(home, 'data')}`,
        `--web.listen-address=${address}`,
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
    const prometheus = new Prometheus(child, home, `http://${address}`);
    await until('Prometheus is ready', () =>
      fetch(`${prometheus.#url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    return prometheus;
  }

  /** The series of an expression; throws with Prometheus' words when it does not evaluate. */
  async query(expression: string): Promise<Series[]> {
    const response = await fetch(`${this.#url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: expression }),
    });
    const { status, error, data } = (await response.json()) as {
      status: string;
      error?: string;
      data: { result: Series[] };
    };
    if (status !== 'success') throw new Error(`${error}: ${expression}`);
    return data.result;
  }

  /** The rules that could not be evaluated, with the reason. */
  async failedRules(): Promise<string[]> {
    const response = await fetch(`${this.#url}/api/v1/rules`);
    const { data } = (await response.json()) as {
      data: { groups: { rules: { name: string; lastError?: string }[] }[] };
    };
    return data.groups
      .flatMap(({ rules }) => rules)
      .flatMap(({ name, lastError }) => (lastError ? [`${name}: ${lastError}`] : []));
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#home, { recursive: true, force: true });
  }
}
