import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { assessReport, NoAudit, readAllowed, type Vulnerability } from '../../scripts/audit.mjs';

/** In the format of npm 10 and later: a direct finding, an inherited one, and one without a fix. */
const REPORT = {
  auditReportVersion: 2,
  vulnerabilities: {
    lodash: finding('lodash', 'high', 'GHSA-35jh-r3h4-6jhm', true),
    'old-parent': {
      ...finding('old-parent', 'high', 'GHSA-none', true),
      via: ['lodash'],
    },
    request: finding('request', 'critical', 'GHSA-p8p7-x288-28g6', false),
    semver: finding('semver', 'moderate', 'GHSA-c2qf-rxjj-qqgw', true),
    ws: finding('ws', 'high', 'GHSA-3h5v-q93c-6h6q', {
      name: 'ws',
      version: '9.0.0',
      isSemVerMajor: true,
    }),
  },
};

function finding(
  name: string,
  severity: string,
  advisory: string,
  fixAvailable: Vulnerability['fixAvailable'],
) {
  const url = `https://github.com/advisories/${advisory}`;
  const flaw = { source: 1, name, title: `A flaw of ${name}`, url, severity, range: '<9.9.9' };
  return { name, severity, isDirect: false, via: [flaw], effects: [], fixAvailable };
}

const LOCK = JSON.parse(readFileSync('package-lock.json', 'utf8'));

/** The registry's document of a package with one version more than the lock file has. */
function versionsOf(path: string) {
  const name = decodeURIComponent(path.slice(1));
  const locked = LOCK.packages[`node_modules/${name}`]?.version ?? '1.0.0';
  const versions = [locked, '9999.0.0'].map((version) => [version, { name, version }]);
  return { name, 'dist-tags': { latest: '9999.0.0' }, versions: Object.fromEntries(versions) };
}

const advisories = (list: { advisory: string }[]) => list.map(({ advisory }) => advisory);

describe('the assessment of an audit report', () => {
  test('an audit fails for grave vulnerabilities that a newer version fixes, and for no other', () => {
    const { failing, unfixable, allowed, unneeded } = assessReport(REPORT, []);
    expect(failing).toMatchObject([
      { advisory: 'GHSA-35jh-r3h4-6jhm', package: 'lodash', fix: 'npm audit fix' },
      { advisory: 'GHSA-3h5v-q93c-6h6q', package: 'ws', fix: 'ws 9.0.0, a new major version' },
    ]);
    expect(advisories(unfixable)).toEqual(['GHSA-p8p7-x288-28g6']);
    expect({ allowed, unneeded }).toEqual({ allowed: [], unneeded: [] });
  });

  test('an audit passes allowed vulnerabilities and reports entries that are not needed', () => {
    const { failing, allowed, unneeded } = assessReport(REPORT, [
      { advisory: 'GHSA-35jh-r3h4-6jhm', why: 'its templates are never compiled' },
      { advisory: 'GHSA-p8p7-x288-28g6', why: 'no version fixes it: no entry is needed' },
      { advisory: 'GHSA-gone-gone-gone', why: 'long ago' },
    ]);
    expect(advisories(failing)).toEqual(['GHSA-3h5v-q93c-6h6q']);
    expect(advisories(allowed)).toEqual(['GHSA-35jh-r3h4-6jhm']);
    expect(unneeded).toEqual(['GHSA-p8p7-x288-28g6', 'GHSA-gone-gone-gone']);
  });

  test('an audit without a report throws NoAudit', () => {
    for (const none of [null, {}, { message: '405 Method Not Allowed' }, { error: {} }]) {
      expect(() => assessReport(none, [])).toThrow(NoAudit);
    }
  });

  test('an exception without a reason is refused', () => {
    expect(() => readAllowed('[{"advisory":"GHSA-x","why":" "}]')).toThrow('does not say why');
  });
});

describe('the command npm run audit', () => {
  /** Runs the command against a local registry with the given response, an object or a status. */
  async function audit(respond: (packages: Record<string, string[]>) => object | number) {
    const registry = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const isBulk = request.method === 'POST' && request.url?.endsWith('/advisories/bulk');
      // A vulnerability has a fix if there is a version outside of its range.
      if (!isBulk) return void response.end(JSON.stringify(versionsOf(request.url ?? '')));
      const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      const result = respond(JSON.parse(String(text)));
      if (typeof result === 'number') return void response.writeHead(result).end('{}');
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(result));
    });
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
    const { port } = registry.address() as AddressInfo;
    const { NODE_OPTIONS, ...inherited } = process.env;
    const child = spawn(process.execPath, ['scripts/audit.mjs'], {
      env: {
        ...inherited,
        npm_config_registry: `http://127.0.0.1:${port}/`,
        npm_config_fetch_retries: '0',
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    const code = await new Promise((resolve) => child.once('close', resolve));
    registry.closeAllConnections();
    await new Promise((resolve) => registry.close(resolve));
    return { code, output };
  }

  test('the command npm run audit exits with 0 when the registry reports no vulnerability', async () => {
    let requested: Record<string, string[]> = {};
    const { code, output } = await audit((packages) => {
      requested = packages;
      return {};
    });
    expect(output).toContain('No known vulnerability');
    expect(code).toBe(0);
    expect(Object.keys(requested)).toContain('fastify');
  });

  test('the command npm run audit exits with 1 and names a vulnerability of a locked package', async () => {
    const { code, output } = await audit(() => ({
      fastify: [
        {
          id: 1,
          url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
          title: 'A flaw of this test',
          severity: 'critical',
          vulnerable_versions: '<9999.0.0',
          cwe: [],
          cvss: { score: 9.8, vectorString: null },
        },
      ],
    }));
    expect(output).toContain('critical: fastify');
    expect(output).toContain(
      '(GHSA-aaaa-bbbb-cccc); fixed by: fastify 9999.0.0, a new major version',
    );
    expect(code).toBe(1);
  });

  test('the command npm run audit exits with 2 and one sentence when the registry cannot audit', async () => {
    const { code, output } = await audit(() => 405);
    expect(output).toMatch(/^The packages could not be audited: 405 .*\.$/m);
    expect(code).toBe(2);
  });
});
