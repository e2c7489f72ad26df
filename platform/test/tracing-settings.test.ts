import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../config/settings.ts';
import { tracesEndpoint, tracingShape } from '../tracing/tracing-settings.ts';

const BASE = 'http://collector:4318';
const endpointOf = (env: Record<string, string>) => tracesEndpoint(readConfig(tracingShape, env));
const wrong = (env: Record<string, string>) => () => readConfig(tracingShape, env);

describe('the settings of traces', () => {
  test.each([
    ['no collector', {}, undefined],
    ['one for all signals', { OTEL_EXPORTER_OTLP_ENDPOINT: BASE }, `${BASE}/v1/traces`],
    ['one with a path', { OTEL_EXPORTER_OTLP_ENDPOINT: `${BASE}/otlp/` }, `${BASE}/otlp/v1/traces`],
    [
      'one for traces alone',
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: BASE,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/in',
      },
      'https://traces.example/in',
    ],
    ['a disabled SDK', { OTEL_EXPORTER_OTLP_ENDPOINT: BASE, OTEL_SDK_DISABLED: 'True' }, undefined],
    ['no exporter', { OTEL_EXPORTER_OTLP_ENDPOINT: BASE, OTEL_TRACES_EXPORTER: 'none' }, undefined],
  ])('%s gives the address of the exports', (_name, env, endpoint) => {
    expect(endpointOf(env)).toBe(endpoint);
  });

  test('pairs are decoded, and spaces around them are left out', () => {
    const { OTEL_RESOURCE_ATTRIBUTES } = readConfig(tracingShape, {
      OTEL_RESOURCE_ATTRIBUTES: 'region=seoul, note=a%2Cb%3Dc ,empty=,url=http://a?b=c',
    });
    expect(OTEL_RESOURCE_ATTRIBUTES).toEqual({
      region: 'seoul',
      note: 'a,b=c',
      empty: '',
      url: 'http://a?b=c',
    });
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'must be http/json'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'must be an http:// or https:// address'],
    ['OTEL_TRACES_SAMPLER', 'ratio', 'must be one of always_on'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5', 'must be at most 1'],
    ['OTEL_TRACES_SAMPLER_ARG', 'one', 'must be a number from 0 to 1'],
    ['OTEL_SDK_DISABLED', 'yes', 'must be true or false'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'region', 'must be pairs'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization=%E0%A4', 'must be pairs'],
  ])('%s=%s is refused with a sentence', (name, value, problem) => {
    expect(wrong({ [name]: value })).toThrow(`${name} is wrong: ${problem}`);
  });

  test('a header that is refused does not show its value', () => {
    expect(wrong({ OTEL_EXPORTER_OTLP_HEADERS: 'secret-without-name' })).not.toThrow(/secret-w/);
  });
});
