import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { judge, NoAudit, readAllowed, type Vulnerability } from '../../scripts/audit.mjs';

/** Shaped as npm 10 and later write it: a direct finding, one that comes with another package, one that nothing ends. */
const REPORT = {
  auditReportVersion: 2,
  vulnerabilities: {
    lodash: found('lodash', 'high', 'GHSA-35jh-r3h4-6jhm', true),
    'old-parent': {
      ...found('old-parent', 'high', 'GHSA-none', true),
      via: ['lodash'],
    },
    request: found('request', 'critical', 'GHSA-p8p7-x288-28g6', false),
    semver: found('semver', 'moderate', 'GHSA-c2qf-rxjj-qqgw', true),
    ws: found('ws', 'high', 'GHSA-3h5v-q93c-6h6q', {
      name: 'ws',
      version: '9.0.0',
      isSemVerMajor: true,
    }),
  },
};

function found(
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

/** A package of which there is one version more than the lock file knows. */
function versionsOf(path: string) {
  const name = decodeURIComponent(path.slice(1));
  const locked = LOCK.packages[`node_modules/${name}`]?.version ?? '1.0.0';
  const versions = [locked, '9999.0.0'].map((version) => [version, { name, version }]);
  return { name, 'dist-tags': { latest: '9999.0.0' }, versions: Object.fromEntries(versions) };
}

const advisories = (list: { advisory: string }[]) => list.map(({ advisory }) => advisory);

describe('the assessment of an audit report', () => {
  test('an audit fails for grave vulnerabilities that a newer version fixes, and for no other', () => {
    const { failing, unfixable, allowed, unneeded } = judge(REPORT, []);
    expect(failing).toMatchObject([
      { advisory: 'GHSA-35jh-r3h4-6jhm', package: 'lodash', fix: 'npm audit fix' },
      { advisory: 'GHSA-3h5v-q93c-6h6q', package: 'ws', fix: 'ws 9.0.0, a new major version' },
    ]);
    expect(advisories(unfixable)).toEqual(['GHSA-p8p7-x288-28g6']);
    expect({ allowed, unneeded }).toEqual({ allowed: [], unneeded: [] });
  });

  test('an audit passes allowed vulnerabilities and reports entries that are not needed', () => {
    const { failing, allowed, unneeded } = judge(REPORT, [
      { advisory: 'GHSA-35jh-r3h4-6jhm', why: 'its templates are never compiled' },
      { advisory: 'GHSA-p8p7-x288-28g6', why: 'nothing ends it: no entry is needed' },
      { advisory: 'GHSA-gone-gone-gone', why: 'long ago' },
    ]);
    expect(advisories(failing)).toEqual(['GHSA-3h5v-q93c-6h6q']);
    expect(advisories(allowed)).toEqual(['GHSA-35jh-r3h4-6jhm']);
    expect(unneeded).toEqual(['GHSA-p8p7-x288-28g6', 'GHSA-gone-gone-gone']);
  });

  test('an audit without a report throws NoAudit', () => {
    for (const none of [null, {}, { message: '405 Method Not Allowed' }, { error: {} }]) {
      expect(() => judge(none, [])).toThrow(NoAudit);
    }
  });

  test('an exception without a reason is refused', () => {
    expect(() => readAllowed('[{"advisory":"GHSA-x","why":" "}]')).toThrow('does not say why');
  });
});

describe('the command npm run audit', () => {
  /** Runs it against a registry that answers as told; nobody else is asked. */
  async function audit(answer: (asked: Record<string, string[]>) => object | number) {
    const registry = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const isBulk = request.method === 'POST' && request.url?.endsWith('/advisories/bulk');
      // Which versions there are decides on whether one of them ends a flaw.
      if (!isBulk) return void response.end(JSON.stringify(versionsOf(request.url ?? '')));
      const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      const answered = answer(JSON.parse(String(text)));
      if (typeof answered === 'number') return void response.writeHead(answered).end('{}');
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answered));
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
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        said += chunk;
      });
    }
    const code = await new Promise((resolve) => child.once('close', resolve));
    registry.closeAllConnections();
    await new Promise((resolve) => registry.close(resolve));
    return { code, said };
  }

  test('the command npm run audit exits with 0 when the registry reports no vulnerability', async () => {
    let asked: Record<string, string[]> = {};
    const { code, said } = await audit((packages) => {
      asked = packages;
      return {};
    });
    expect(said).toContain('No known vulnerability');
    expect(code).toBe(0);
    expect(Object.keys(asked)).toContain('fastify');
  });

  test('the command npm run audit exits with 1 and names a vulnerability of a locked package', async () => {
    const { code, said } = await audit(() => ({
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
    expect(said).toContain('critical: fastify');
    expect(said).toContain(
      '(GHSA-aaaa-bbbb-cccc); ended by: fastify 9999.0.0, a new major version',
    );
    expect(code).toBe(1);
  });

  test('the command npm run audit exits with 2 and one sentence when the registry cannot audit', async () => {
    const { code, said } = await audit(() => 405);
    expect(said).toMatch(/^The packages could not be audited: 405 .*\.$/m);
    expect(code).toBe(2);
  });
});
