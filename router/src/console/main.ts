import { closeHttpServer } from '#platform/http/http-server.ts';
import { runService } from '#platform/lifecycle/lifecycle.ts';
import { createMetrics } from '#platform/observability/metrics.ts';
import { identityVerifier } from '../identity/identity.ts';
import { createConsoleServer } from './console-server.ts';
import { openQueueReader } from './queue-reader.ts';
import { consoleConfig } from './settings.ts';

await runService('console', consoleConfig, async ({ config, logger, draining, ...lifecycle }) => {
  const metrics = createMetrics('console');
  const reader = openQueueReader(config, logger, metrics);
  const app = await createConsoleServer({
    reader,
    identify: identityVerifier(config, logger),
    metrics,
    metricsToken: config.METRICS_TOKEN,
    draining,
    logger,
  });
  await app.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'the queue console is ready');

  lifecycle.onDrained('requests', () => closeHttpServer(app, logger));
  lifecycle.onStop('queue', reader.close);
});
